#!/bin/sh
# The reports of a drill, read by others: HTML and XML parsers, the real Jinja2, a browser.
. "${0%/*}/../lib/tap.sh"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)

# What the browser says about the page, and what it makes of it: browse SCHEME (0 dark, 1 light) OPTIONS...
browse() {
    scheme=$1
    shift
    run timeout 120 "$browser" --headless --no-sandbox --disable-gpu --enable-logging=stderr \
        --user-data-dir="$work/profile" --host-resolver-rules='MAP * ~NOTFOUND' --window-size=1280,1600 \
        --blink-settings=preferredColorScheme="$scheme" "$@" "file://$work/page.html"
}

helper tests/drill/sample.c "$work/sample" || exit 1
succeeds "the sample is written" "$work/sample" "$work"
run /usr/bin/python3 tests/drill/look.py "$work"
note "$err"
while read -r outcome what; do
    case $outcome in
    ok) ok 0 "${what#- }" ;;
    not) ok 1 "${what#ok - }" ;;
    *) note "$what" ;;
    esac
done <<END
$out
END
is "all of it was looked at" "$status" 0

if [ -z "$browser" ]; then
    note "no browser is installed: the page is not loaded"
    finish
    exit
fi
browse 1 --dump-dom
is "a browser loads the page" "$status" 0
unlike "and has nothing to say about it" "$err" 'CONSOLE'
like "a scenario is in it" "$out" '>host-lost</a>'
like "and a timeline's label" "$out" 'db2 is promoted, timeline 5</text>'
browse 1 --screenshot="$work/light.png"
is "a picture of it, light" "$status" 0
browse 0 --screenshot="$work/dark.png"
is "and dark" "$status" 0
if cmp -s "$work/light.png" "$work/dark.png"; then alike=yes; else alike=no; fi
is "are different" "$alike" no
browse 1 --print-to-pdf="$work/page.pdf"
is "it prints" "$status" 0
finish
