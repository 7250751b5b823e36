#!/bin/sh
# Where keys and region come from: as botocore finds them, in the same environment.
. "${0%/*}/../lib/tap.sh"

helper tests/aws/who.c "$work/who" || exit 1
mkdir "$work/home"
/usr/bin/python3 tests/aws/keys.py "$work/who" "$work/home" >"$work/judged"
ok $? "all cases are judged"
judged "$work/judged"
finish
