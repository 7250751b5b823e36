#!/bin/sh
# Signatures: the published suite (of aws-c-auth, from Debian's source of aws-crt-python), and botocore.
. "${0%/*}/../lib/tap.sh"

# The suite's folder, from the mirrors that this machine has.
suite_folder() {
    cache=${XDG_CACHE_HOME:-/var/cache}/pgha-deploy/tests/aws-crt
    suite=$cache/suite/v4
    [ ! -d "$suite" ] || return 0
    mkdir -p "$cache/parts" "$cache/lists/partial" "$cache/suite" || return 1
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        [ -f "$file" ] || continue
        sed 's/^Types: .*/Types: deb-src/; s/^deb /deb-src /' "$file" >"$cache/parts/${file##*/}"
    done
    (
        cd "$cache" || exit 1
        set -- -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$cache/parts" -o Dir::State::Lists="$cache/lists" \
            -o APT::Sandbox::User=root
        apt-get "$@" update && apt-get "$@" source --download-only aws-crt-python
    ) >"$cache/log" 2>&1 || { complain "$(tail -n 5 "$cache/log")"; return 1; }
    tar -xf "$cache"/aws-crt-python_*.orig.tar.gz -C "$cache/suite" --wildcards --strip-components 5 \
        '*/aws-c-auth/tests/aws-signing-test-suite/v4/*'
}
suite_folder
ok $? "the suite is there"
helper tests/aws/sign.c "$work/sign" || exit 1
/usr/bin/python3 tests/aws/signatures.py suite "$suite" "$work/sign" >"$work/judged"
ok $? "all are judged"
judged "$work/judged"
is "its cases" "$(($(grep -c . "$work/judged")))" "$(find "$suite" -name header-signature.txt | wc -l)"
/usr/bin/python3 tests/aws/signatures.py botocore 2000 "${SEED:-7}" "$work/sign" >"$work/judged"
ok $? "2000 random requests"
is "are signed as botocore does" "$(grep -v '^ok' "$work/judged" | head -n 4)" ''
finish
