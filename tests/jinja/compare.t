#!/bin/sh
# Several hundred templates and expressions: the same bytes, or an error too, as the real Jinja2 with Ansible's filters.
. "${0%/*}/../lib/tap.sh"

helper tests/jinja/render.c "$work/render" || exit 1
trap - EXIT # compare.py prints the TAP
/usr/bin/python3 tests/jinja/compare.py "$work/render"
status=$?
rm -rf "$work"
exit $status
