#!/bin/sh
# The command line: help, wrong usage, exit statuses, documentation that cannot drift.
. "${0%/*}/../lib/tap.sh"

succeeds "--help" "$pgha" --help
for command in init validate plan up down status conninfo verify inventory play render ssh psql logs; do
    like "help names $command" "$out" "^  $command "
done
exits "no command is wrong usage" 64 "$pgha"
exits "an unknown command is wrong usage" 64 "$pgha" stauts
like "and the nearest one is named" "$err" 'did you mean "status"'
exits "an unknown option is wrong usage" 64 "$pgha" up --frob
exits "an option without its value" 64 "$pgha" -f
exits "too many arguments" 64 "$pgha" status now
succeeds "--version" "$pgha" --version
like "prints a number" "$out" '^pgha-deploy [0-9]+\.[0-9]+'

for page in ansible cluster-file commands drill events modules parameters; do
    run "$pgha" docs $page
    is "docs/$page.md is what the tables say" "$out" "$(cat docs/$page.md)"
done
run "$pgha" docs man
like "the man page has every command" "$out" '^\.SS "inventory'

run "$pgha" init
printf '%s\n' "$out" >"$work/made.yaml"
succeeds "what init writes is valid" "$pgha" -f "$work/made.yaml" validate
succeeds "init writes a file" "$pgha" init --name shop "$work/shop.yaml"
exits "and does not overwrite one" 1 "$pgha" init "$work/shop.yaml"
like "saying so" "$err" 'is there already'

lab nobody 10.81.9.0/24
exits "changing without a terminal needs --yes" 64 "$pgha" -f "$file" up
like "and says so" "$err" 'add --yes'
exits "no cluster file" 65 "$pgha" -f "$work/none.yaml" validate
like "with what to do" "$err" 'pgha-deploy init'
finish
