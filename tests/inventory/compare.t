#!/bin/sh
# Patterns name the hosts that `ansible --list-hosts` names. What is in bad/ is refused with the text of its
# .expected file. What is in cases/ is held against ansible-inventory in tests/e2e/45-inventory.t, which has the
# right version of it. $CONVERT is convert.c as a program, if built already.
. "${0%/*}/../lib/tap.sh"

if ! command -v ansible >/dev/null; then
    echo "1..0 # SKIP needs ansible-core"
    exit 0
fi
here=$PWD/tests/inventory
convert=${CONVERT:-$work/convert}
[ -n "${CONVERT:-}" ] || helper tests/inventory/convert.c "$convert" || exit 1
ANSIBLE_CONFIG=$work/ansible.cfg ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS=ignore
: >"$ANSIBLE_CONFIG"
export ANSIBLE_CONFIG ANSIBLE_LOCALHOST_WARNING ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS

same_text() { # same_text "what" WANTED GOT: two files; nothing to compare is a failure
    if [ -s "$2" ] && cmp -s "$2" "$3"; then ok 0 "$1"; else
        ok 1 "$1"
        note "$(diff "$2" "$3" | head -n 20)"
    fi
}

while read -r pattern; do
    ansible "$pattern" -i "$here/cases/ranges.ini" --list-hosts 2>/dev/null | sed '1d; s/^ *//' >"$work/ansible"
    "$convert" "$here/cases/ranges.ini" --match "$pattern" >"$work/ours"
    same_text "pattern $pattern" "$work/ansible" "$work/ours"
done <<'END'
all
*
db
db1
db:web
db,web
web:&db
web:!db
!db
&db
site:!web*:&site
db[0]
db[-1]
db[1:]
db[0:1]
db[1-2]
web*[2]
*.example.com
web?.example.com
web[abc]-1
[!w]*
cache_1,lonely,cache_1
ungrouped
2001:db8::7
lb : db
END

for file in "$here"/bad/*; do
    case $file in *.expected) continue ;; esac
    status=0
    (cd "$here/bad" && "$convert" "$(basename "$file")" json) >"$work/out" 2>&1 || status=$?
    is "$(basename "$file"): exit 65" "$status" 65
    same_text "$(basename "$file"): every fault with its place" "$file.expected" "$work/out"
done
finish
