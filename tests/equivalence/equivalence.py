#!/usr/bin/python3
"""The equivalence suite: one playbook of many cases, run by ansible-playbook on one host and by ours on its twin.

usage: equivalence.py write FOLDER SERVER STEP FILE.yml...   playbook.yml, before.sh and what they need, into FOLDER;
                                                             of each file every STEPth case
       equivalence.py manifest                               what a host is like, as JSON (runs on the host)
       equivalence.py judge FOLDER                           a line a case from what the .t has collected in FOLDER
       equivalence.py serve ADDRESS PORT                     the HTTP server that get_url and uri ask

A file is {without: [...], messages: BOOL, cases: [...]}; `without` are return values of Ansible's that ours has not. A case:
  name     what it shows
  before   sh, run in the case's own folder on both hosts; makes the start state
  task     a task as a playbook has it, or a list of them; HERE is the case's folder, SERVER the server's URL
  with     {path: text}: files beside the playbook
  handlers for the play
  owns     [REGEX...]: paths outside of its folder that are the case's, too
  repeats  the task acts in every run, so the second run is not expected to change nothing
  check    false: the task is nothing for check mode (a task that makes what the next one needs)
  refused  a regex: ours refuses the playbook with this, ansible-playbook is not asked
  differs  {why: TEXT, what: [REGEX...]}: a difference on purpose. Each that is found must match one, and each must be found.

One difference is everywhere: what Ansible skips in check mode (command, uri, wait_for), ours says would run.
"""
import difflib
import grp
import hashlib
import http.server
import json
import os
import pwd
import re
import stat
import subprocess
import sys

# ---- the playbook ----

ROOT = "/srv/equivalence"
PASSES = ("check", "apply", "again")
ENGINES = ("ansible", "ours")


class Case:
    """A case of a file, with its folder on the hosts and its tasks as they are run."""

    def __init__(self, path, number, about, given, server):
        module = os.path.basename(path).removesuffix(".yml")
        self.here = f"{ROOT}/{module}/{number}"
        self.title = f"{module}: {given['name']}"
        given = replaced(given, {"HERE": self.here, "SERVER": server})
        self.given = given
        self.without = set(about.get("without", []))
        self.messages = about.get("messages", False)
        tasks = given["task"] if isinstance(given["task"], list) else [given["task"]]
        self.tasks = [self.prepared(task, f"r_{module}_{number}_{i}") for i, task in enumerate(tasks)]

    def prepared(self, task, word):
        name = f"{self.title} ({word})"
        return {"name": name, "register": word, "ignore_errors": True, **task}

    def has(self, path):
        return f"{path}/".startswith(self.here + "/") or any(re.search(own, path) for own in self.given.get("owns", []))

    def results(self):
        return [task["register"] for task in self.tasks]


def replaced(value, words):
    if isinstance(value, dict):
        return {replaced(k, words): replaced(v, words) for k, v in value.items()}
    if isinstance(value, list):
        return [replaced(v, words) for v in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = re.sub(rf"\b{word}\b", text, value)
    return value


def load_cases(server, step, paths):
    import yaml  # hosts, which run manifest, have none

    cases = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            about = yaml.safe_load(file)
        cases += [Case(path, i, about, given, server) for i, given in enumerate(about["cases"]) if i % step == 0]
    return cases


def play_of(cases):
    results = ", ".join(f"'{word}': {word}" for case in cases for word in case.results())
    told = {
        "name": "results",
        "ansible.builtin.copy": {"dest": "/run/equivalence.json", "content": "{{ {%s} | to_json }}" % results, "mode": "0600"},
        "check_mode": False,
        "diff": False,
    }
    tasks = [task for case in cases for task in case.tasks]
    handlers = [handler for case in cases for handler in case.given.get("handlers", [])]
    play = {"hosts": "all", "tasks": tasks + [{"meta": "flush_handlers"}, told]}
    return [{**play, "handlers": handlers}] if handlers else [play]


def write_file(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def before_script(cases):
    parts = ["umask 022"]
    for case in cases:
        parts.append(f"mkdir -p {case.here} && cd {case.here} || exit\n(\nset -e\n{case.given.get('before', ':')}\n) || " +
                     f"echo 'before failed: {case.here}'")
    return "\n".join(parts) + "\n"


def write(folder, server, step, *paths):
    import yaml

    cases = load_cases(server, int(step), paths)
    for case in cases:
        for name, text in case.given.get("with", {}).items():
            write_file(f"{folder}/{name}", text)
    refused = [case for case in cases if "refused" in case.given]
    for i, case in enumerate(refused):
        write_file(f"{folder}/refused-{i}.yml", yaml.safe_dump(play_of([case]), sort_keys=False))
    run = [case for case in cases if "refused" not in case.given]
    checked = [case for case in run if case.given.get("check", True)]
    for name, these in (("playbook", run), ("checked", checked)):
        write_file(f"{folder}/{name}.yml", yaml.safe_dump(play_of(these), sort_keys=False, width=1000))
    write_file(f"{folder}/before.sh", before_script(run))
    write_file(f"{folder}/cases.json", json.dumps({"server": server, "step": int(step), "paths": paths}))


# ---- a host ----

FOLDERS = ["/etc", "/srv", "/opt", "/home", "/root", "/usr/local", "/var/spool/cron"]
# Of the host and the engine, not of the cases; backups of the user database; caches that follow from the rest.
PASSED_OVER = re.compile(r"^(/etc/(ssh/ssh_host_.*|machine-id|hosts|resolv\.conf|\.pwd\.lock|(passwd|shadow|group|gshadow|subuid|subgid)-|"
                         r"ld\.so\.cache)|/root/\.(ansible|cache|ssh|bash_history).*)$")
CRONTAB_HEADER = re.compile(rb"# DO NOT EDIT THIS FILE.*\n# \(.* installed on .*\n# \(Cron version.*\n")
BACKUP = re.compile(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~$")


def owner(st):
    names = []
    for find, number in ((pwd.getpwuid, st.st_uid), (grp.getgrgid, st.st_gid)):
        try:
            names.append(find(number)[0])
        except KeyError:
            names.append(str(number))
    return ":".join(names)


def described(path):
    st = os.lstat(path)
    text = f"{stat.filemode(st.st_mode)} {owner(st)}"
    if stat.S_ISLNK(st.st_mode):
        return f"{text} -> {os.readlink(path)}"
    if not stat.S_ISREG(st.st_mode):
        return text
    with open(path, "rb") as file:
        content = file.read()
    if path.startswith("/var/spool/cron/"):
        content = CRONTAB_HEADER.sub(b"", content)
    shown = content.decode("utf-8", "backslashreplace") if len(content) < 2000 else ""
    return f"{text} {len(content)} {hashlib.sha256(content).hexdigest()[:16]} {shown!r}"


def files():
    found = {}
    for top in FOLDERS:
        for folder, folders, names in os.walk(top):
            for name in folders + names:
                path = f"{folder}/{name}"
                if not PASSED_OVER.match(path):
                    found[BACKUP.sub(".BACKUP~", path)] = described(path)
    return found


def told(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def manifest():
    state = files()
    for unit in told("systemctl", "list-unit-files", "--no-legend", "--plain").splitlines():
        name, enabled = unit.split()[:2]
        if name.startswith("eq-"):
            state[f"unit {name}"] = enabled + " " + told("systemctl", "is-active", name).strip()
    for package in told("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Abbrev}\n").splitlines():
        state[f"package {package.split()[0]}"] = package
    for mount in told("findmnt", "-rn", "-o", "TARGET,SOURCE,FSTYPE,OPTIONS").splitlines():
        if ROOT in mount:
            state[f"{mount.split()[0]} is mounted"] = re.sub(r",?(lower|upper|work)dir=[^,]*", "", mount)
    for setting in told("sysctl", "-a", "--pattern", r"^net\.ipv4\.(tcp_|ip_local)").splitlines():
        if "fastopen_key" not in setting: # made by the kernel of each host
            state[f"sysctl {setting.split()[0]}"] = setting
    state["hostname"] = told("hostname")
    state["apt"] = told("apt-mark", "showhold") + told("apt-mark", "showauto", "hello", "hello-traditional", "sl")
    print(json.dumps(state))


# ---- the verdict ----

# Times, names of temporary files, and what Ansible says of itself.
NEVER = {"start", "end", "delta", "elapsed", "atime", "mtime", "ctime", "birthtime", "backup", "backup_file", "src", "invocation", "diff",
         "warnings", "deprecations", "exception", "module_stderr", "module_stdout", "failed_when_suppressed_exception", "false_condition"}
VERDICTS = ("changed", "failed", "skipped")


class Judge:
    """Collects how one case differs."""

    def __init__(self, case):
        self.case = case
        self.found = []

    def say(self, where, what):
        self.found.append(f"{where}: {what}")

    def same(self, where, key, theirs, ours):
        if theirs != ours:
            self.say(where, f"{key}: ansible {theirs!r}, ours {ours!r}")

    def values(self, where, theirs, ours, at=""):
        if where == "check" and theirs.get("skipped") and not ours.get("skipped"):
            theirs = {"changed": ours.get("changed")}
        failed = theirs.get("failed") or ours.get("failed")
        for key in VERDICTS:
            self.same(where, at + key, bool(theirs.get(key)), bool(ours.get(key)))
        if bool(theirs.get("failed")) != bool(ours.get("failed")):
            self.say(where, f"{at}msg: ansible {theirs.get('msg')!r}, ours {ours.get('msg')!r}")
            return
        if where == "check" and "results" not in theirs: # what would be is not told by both
            return
        for key in sorted(theirs):
            if key in NEVER or key in VERDICTS or key in self.case.without or key == "msg" and failed and not self.case.messages:
                continue
            if key not in ours and not failed:
                self.say(where, f"{at}{key} is not returned: {theirs[key]!r}")
            elif key in ours:
                self.value(where, at + key, theirs[key], ours[key])

    def value(self, where, key, theirs, ours):
        if isinstance(theirs, dict) and isinstance(ours, dict) and "." not in key:
            self.values(where, theirs, ours, key + ".")
        elif key == "results" and isinstance(theirs, list) and len(theirs) == len(ours):
            for i, (one, other) in enumerate(zip(theirs, ours)):
                self.values(where, one, other, f"{i}.")
        else:
            self.same(where, key, theirs, ours)

    def stays(self, where, result):
        if result.get("changed") and not self.case.given.get("repeats"):
            self.say(where, "the second run changes it")

    def state(self, where, theirs, ours):
        for path in sorted(set(theirs) | set(ours)):
            if self.case.has(path):
                self.same(where, path, theirs.get(path), ours.get(path))

    def diff(self, where, theirs, ours):
        wanted = changed_lines(theirs)
        if wanted is not None and ours is not None:
            self.same(where, "diff", wanted, sorted(line for line in ours.splitlines() if re.match(r"[+-](?!--|\+\+)", line)))

    def verdict(self, whole):
        """(is it as it should be, notes); whole: ansible-playbook has made every pass"""
        differs = self.case.given.get("differs")
        if not differs:
            return not self.found, self.found
        surplus = [f for f in self.found if not any(re.search(what, f) for what in differs["what"])]
        missing = [what for what in differs["what"] if whole and not any(re.search(what, f) for f in self.found)]
        notes = surplus + [f"no such difference: {what}" for what in missing]
        return not notes, notes or ["differs on purpose: " + differs["why"]]


def changed_lines(diff):
    """The + and - lines of a diff of Ansible's, if it is one of content."""
    if isinstance(diff, list):
        diff = diff[0] if len(diff) == 1 else None
    if not isinstance(diff, dict) or not isinstance(diff.get("before"), str) or not isinstance(diff.get("after"), str):
        return None
    lines = difflib.unified_diff(diff["before"].splitlines(), diff["after"].splitlines(), lineterm="", n=0)
    return sorted(line for line in lines if re.match(r"[+-](?!--|\+\+)", line))


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_pair(folder, where, ends):
    """None for what the short form leaves out."""
    paths = [f"{folder}/{where}.{end}" for end in ends]
    return [read_json(path) if os.path.exists(path) else None for path in paths]


def diffs_of(path):
    """Ours: the diff of each task, by its name."""
    return {change["task"]: change["diff"] for host in read_json(path) for change in host["changes"] if change["diff"]}


def judge_results(judge, where, theirs, ours, diffs):
    """theirs, ours: the results of a pass; None when that engine had none."""
    for task in judge.case.tasks:
        word = task["register"]
        if theirs and ours:
            judge.values(where, theirs[word], ours[word])
        if where == "again":
            for engine, results in (("ansible", theirs), ("ours", ours)):
                if results:
                    judge.stays(f"again, {engine} over the other", results[word])
        elif where == "check" and theirs and not task.get("no_log"):
            judge.diff(where, theirs[word].get("diff"), diffs.get(task["name"]))


def judge_case(judge, results, states, diffs):
    case = judge.case
    for where in PASSES:
        if where != "check" or case.given.get("check", True):
            judge_results(judge, where, *results[where], diffs)
    judge.state("state", *states["apply"])
    if None not in states["again"]:
        judge.state("state after both", *states["again"])
    for host in (0, 1):
        if states["check"][host]:
            judge.state(f"state after check by {ENGINES[host]}", states["before"][host], states["check"][host])
        if states["again"][host] and not case.given.get("repeats"):
            judge.state(f"state after {ENGINES[1 - host]} over {ENGINES[host]}", states["apply"][host], states["again"][host])


def differing(one, other):
    return [path for path in sorted(set(one) | set(other)) if one.get(path) != other.get(path)]


def judge_rest(cases, states):
    """What is in no case's folder: the same on both hosts after every pass."""
    for where, (theirs, ours) in states.items():
        if theirs and ours:
            notes = [f"{path}: ansible {theirs.get(path)}, ours {ours.get(path)}" for path in differing(theirs, ours)
                     if not any(case.has(path) for case in cases)]
            say(not notes, f"outside of the cases' folders, {where}", notes)
    for engine, before, after in zip(ENGINES, states["before"], states["check"]):
        if after:
            notes = [path for path in differing(before, after) if not any(case.has(path) for case in cases)]
            say(not notes, f"check mode of {engine} changes nothing", notes)


def say(good, text, notes):
    for note in notes:
        print("note " + note.replace("\n", " ")[:1500])
    print(("ok " if good else "differs ") + text)


def judge(folder):
    about = read_json(f"{folder}/cases.json")
    cases = load_cases(about["server"], about["step"], about["paths"])
    refused = [case for case in cases if "refused" in case.given]
    cases = [case for case in cases if "refused" not in case.given]
    results = {where: read_pair(folder, where, ENGINES) for where in PASSES}
    states = {where: read_pair(folder, where, ("db1", "lb1")) for where in ("before",) + PASSES}
    diffs = diffs_of(f"{folder}/check.changes")
    for case in cases:
        one = Judge(case)
        judge_case(one, results, states, diffs)
        good, notes = one.verdict(None not in results["again"])
        say(good, case.title, notes)
    for i, case in enumerate(refused):
        with open(f"{folder}/refused-{i}.out", encoding="utf-8") as file:
            text = file.read()
        good = re.search(case.given["refused"], text) is not None and f"refused-{i}.yml:" in text
        say(good, f"{case.title}: refused with its place", [] if good else [text])
    judge_rest(cases, states)
    print(f"note {len(cases)} cases, {sum(len(case.tasks) for case in cases)} tasks, {len(refused)} refused")


# ---- the server ----

MODIFIED = "Wed, 01 Jan 2025 00:00:00 GMT"

SUMS = {
    "gnu": "0123  none\n%s *./x\r\n4567  x\n",
    "bsd": "SHA256 (none) = 0123\nSHA256 (x) = %s\n",
    "alone": "%s\n",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """/file/TEXT, /sums/FORMAT of /file/x, /status/N, /json, /redirect/N, /auth (me:pw), /echo"""

    def answer(self, status, body, kind="text/plain", more=()):
        data = body.encode()
        self.send_response(status)
        for name, text in (("Content-Type", kind), ("Content-Length", str(len(data))), *more):
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        what, _, rest = self.path.removeprefix("/").partition("/")
        if what == "file" and self.headers.get("If-Modified-Since"):
            self.answer(304, "")
        elif what == "file":
            self.answer(200, rest.split("?")[0] + "\n", more=[("Last-Modified", MODIFIED)])
        elif what == "sums":
            self.answer(200, SUMS[rest] % hashlib.sha256(b"x\n").hexdigest())
        elif what == "status":
            self.answer(int(rest), f"status {rest}\n")
        elif what == "json":
            self.answer(200, '{"a": [1, "two", null], "b": {"c": true}}', "application/json")
        elif what == "redirect":
            self.answer(int(rest), "", more=[("Location", "/file/redirected")])
        elif what == "auth":
            good = self.headers.get("Authorization") == "Basic bWU6cHc="
            self.answer(200 if good else 401, "in\n" if good else "out\n", more=[] if good else [("WWW-Authenticate", 'Basic realm="x"')])
        else:
            parts = re.search('boundary="(=.*)"', self.headers.get("Content-Type") or "")
            body = body.replace(parts[1], "BOUNDARY") if parts else body
            if parts:
                self.headers.replace_header("Content-Type", self.headers["Content-Type"].replace(parts[1], "BOUNDARY"))
            self.answer(200, f"{self.command} {self.headers.get('Content-Type')} {self.headers.get('X-Test')} {body}\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do

    def log_message(self, *_):
        """Says nothing."""


def serve(address, port):
    http.server.ThreadingHTTPServer((address, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    COMMANDS = {"write": write, "manifest": manifest, "judge": judge, "serve": serve}
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
