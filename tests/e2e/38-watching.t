#!/bin/sh
# Watching a run: the stream of events, the timing report, the log of each run, the lines on a terminal.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-watch 10.81.124.0/24 'nodes: {db: {count: 2}, lb: {count: 1}, etcd: {count: 1}}
postgres: {users: [{name: app, password_from: {env: T_WATCH_PASSWORD}}]}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
state=$work/t-watch/.pgha/t-watch
T_WATCH_PASSWORD=canary-of-the-app-user
export T_WATCH_PASSWORD
documented() { # documented FILE KIND...: what is wrong with it
    python3 tests/lib/events.py "$@" 2>&1
}
screen() { # screen ARGUMENTS...: what is left on it; $marks, what was seen
    on_screen=$(env -u NO_COLOR TERM=xterm python3 tests/lib/screen.py "$@" 2>"$work/marks")
    marks=$(tr '\n' ' ' <"$work/marks")
}

# ---- events, report and log of `up` ----

run p up --yes --profile --events "$work/up.jsonl"
is "up" "$status" 0
is "each event is as docs/events.md has it" "$(documented "$work/up.jsonl" run stage step host changed ok host_end stage_end run_end)" ''
is "the first is the run" "$(head -n 1 "$work/up.jsonl" | jq -r '.kind + " " + .text')" 'run up'
like "the report has the stages" "$err" '^converge  .* [0-9]+%$'
like "the slowest tasks, each with its host" "$err" '^(patroni|etcd|common|tls|haproxy) : .* [0-9]+\.[0-9]  (db|lb|etcd)[12]$'
like "the hosts with their trips" "$err" '^db1 .*% +[0-9]+$'
is "the stream has the time of tasks" "$(jq -s 'map(select(.kind == "changed" and .elapsed_ms > 0 and (.host | test("^db")))) | length > 5' "$work/up.jsonl")" true
log=$(ls "$state"/log/*.jsonl)
is "the run left a log of the same kind" "$(documented "$log" run stage changed run_end)" ''
is "for its user alone" "$(stat -c %a "$log")" 600
echo "$T_WATCH_PASSWORD" >"$work/canaries"
p secrets show superuser >>"$work/canaries"
is "no password is in stream and log" "$(cat "$work/up.jsonl" "$log" | grep -cF -f "$work/canaries")" 0
is "two were looked for" "$(grep -c . "$work/canaries")" 2

run p logs --profile
is "logs --profile reports the same run" "$(printf '%s\n' "$out" | sed -n 's/^Timing of \([^:]*\):.*/\1/p')" up
is "with the same hosts" "$(printf '%s\n' "$out" | grep -cE '^(db1|db2|lb1|etcd1) ')" 4
run p up --yes --json --profile
is "with --json the report is part of the result" \
    "$(printf '%s\n' "$out" | jq -r '"\(.changed) \(.profile.command) \(.profile.hosts | length) \(.profile.hosts[0].trips)"')" '0 up 4 1'
unlike "and nowhere else" "$err" 'Timing of'
is "stages add up to what the run took" "$(printf '%s\n' "$out" | jq '.profile | ([.stages[].elapsed_ms] | add) <= .elapsed_ms + 20')" true
exits "no log of that name" 1 p logs --profile 1999

# ---- play ----

inventory=$state/inventory.yml
cat >"$work/play.yml" <<'YAML'
- hosts: db1
  gather_facts: false
  tasks:
    - name: slow
      command: sleep 1
    - name: tried again
      shell: test -e /run/t-watch || { touch /run/t-watch; exit 1; }
      register: second
      until: second is succeeded
      delay: 1
    - name: secret
      shell: "true {{ password }}"
      no_log: true
    - {name: left out, command: "true", when: false}
    - {name: told, debug: {msg: seen}}
    - {name: wrong, command: "false"}
YAML
run "$pgha" play "$work/play.yml" -i "$inventory" -e password=canary-of-a-play --profile --json --events "$work/play.jsonl"
is "a play that fails" "$status" 1
is "has events, too" "$(documented "$work/play.jsonl" run stage host changed skipped note failed host_end)" ''
is "its end says so" "$(tail -n 1 "$work/play.jsonl" | jq -c '[.kind, .failed]')" '["run_end",1]'
is "the result has hosts and report" "$(printf '%s\n' "$out" | jq -r '.hosts[0].host + " " + .profile.stages[0].stage')" 'db1 play'
is "the slowest tasks are found, one with its second attempt and the pause before it" \
    "$(printf '%s\n' "$out" | jq -c '[.profile.tasks[:2][] | select(.elapsed_ms >= 1000 and .elapsed_ms < 5000) | .task] | sort')" '["slow","tried again"]'
is "what no_log hides is not in the stream" "$(grep -c canary "$work/play.jsonl")" 0

# ---- on a terminal ----

screen 80 24 "$pgha" -f "$file" up --yes
like "on a terminal the stages stay" "$on_screen" '^done  converge  packages, files, services  +[0-9.]+ s$'
unlike "and nothing else of what was drawn" "$on_screen" '\[[#.]+\]'
is "nothing was drawn that did not fit, the terminal is as it was" "$marks" 'cut: 0 cursor: True wraps: True acted: True '
screen 40 10 "$pgha" -f "$file" up --yes
is "nor on a narrow one" "$marks" 'cut: 0 cursor: True wraps: True acted: True '

cat >"$work/wait.yml" <<'YAML'
- hosts: all
  gather_facts: false
  tasks:
    - name: a task with a name that is longer than the line on a narrow screen, however it is told
      command: sleep 3
YAML
screen --until 'a task with a name' 60x12 100 30 "$pgha" play "$work/wait.yml" -i "$inventory"
is "a window that becomes narrower while it runs" "$marks" 'cut: 0 cursor: True wraps: True acted: True '
is "has no leftovers" "$(printf '%s\n' "$on_screen" | grep -vcE '^(done  play|PLAY RECAP|[a-z0-9]+ +: ok=)')" 0
screen --until 'a task with a name' interrupt 80 24 "$pgha" play "$work/wait.yml" -i "$inventory"
is "Ctrl-C" "$marks" 'cut: 0 cursor: True wraps: True acted: True '
like "ends it" "$on_screen" 'stopped by the user'
unlike "with a clean screen" "$on_screen" '\[[#.]+\]'
is "a dumb terminal gets plain lines" \
    "$(TERM=dumb python3 tests/lib/screen.py 80 24 "$pgha" -f "$file" up --yes 2>/dev/null | grep -c '^converge: packages')" 1
unlike "without colours" "$(TERM=dumb script -qec "$pgha -f $file up --yes" /dev/null)" "$(printf '\033')"

# ---- down ----

run p down --yes --profile --events "$work/down.jsonl"
is "down has events as documented" "$(documented "$work/down.jsonl" run stage host changed stage_end run_end)" ''
like "and a report" "$err" '^destroy  .*  host\.db1$'
finish
