#!/bin/sh
# check.sh SECONDS FOLDER... - prove over the tests of the folders, each bounded; then, once more, what the failed ones complained of
# first, for what comes after it in a test mostly follows from it. PGHA_COMPLAINTS: the file that tap.sh collects it in.
limit=$1
shift
mkdir -p "$(dirname "$PGHA_COMPLAINTS")"
: >"$PGHA_COMPLAINTS"
prove --timer --exec "timeout -k 60 $limit sh" "$@" && exit
status=$?
echo 'What failed first:'
awk -F: '++lines[$1] <= 8 {print substr($0, 1, 240)}' "$PGHA_COMPLAINTS"
exit $status
