#!/usr/bin/python3
"""Renders every case of cases.yml with the real Jinja2 and with ours (render.c) and compares the bytes. Prints TAP.

usage: compare.py path/to/render [cases.yml]

A case is a template, or a map: template, name, vars (default: the file's own `vars`), error (text that both messages
hold; true: any error). Those under `cases` need Jinja2 only, those under `ansible` and `expressions` (bare expressions,
as in `when`) Ansible's filters, too. Filters and tests that are Ansible's come from ansible-core,
set up as its templar does: map, select and their like give lists, and an undefined value's parts are undefined, too.
Without ansible-core those cases are skipped.
"""
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import jinja2
import yaml

try:
    from ansible.plugins.filter.core import FilterModule as CoreFilters
    from ansible.plugins.filter.mathstuff import FilterModule as MathFilters
    from ansible.plugins.filter.urls import FilterModule as UrlTextFilters
    from ansible.plugins.filter.urlsplit import FilterModule as UrlFilters
    from ansible.plugins.test.core import TestModule as CoreTests
    from ansible.plugins.test.files import TestModule as FileTests
    from ansible.plugins.test.mathstuff import TestModule as MathTests
    from ansible.plugins.test.uri import TestModule as UriTests
    HAVE_ANSIBLE = True
except ImportError:
    HAVE_ANSIBLE = False


class Undefined(jinja2.StrictUndefined):
    """As AnsibleUndefined: a.b.c | default(x) works when only a is undefined."""

    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        return self

    def __getitem__(self, key):
        return self


def unrolled(function):
    """A filter that gives a list where Jinja2's gives a generator."""
    def call(*args, **kwargs):
        result = function(*args, **kwargs)
        return list(result) if isinstance(result, (Iterator, range, type({}.keys()))) else result
    for name in ("pass_environment", "jinja_pass_arg"):
        if hasattr(function, name):
            setattr(call, name, getattr(function, name))
    return call


def environment():
    env = jinja2.Environment(undefined=Undefined, trim_blocks=True, keep_trailing_newline=True)
    if HAVE_ANSIBLE:
        env.filters.update(CoreFilters().filters())
        env.filters.update(MathFilters().filters())
        env.filters.update(UrlFilters().filters())
        env.filters.update(UrlTextFilters().filters())
        env.tests.update(CoreTests().tests())
        env.tests.update(FileTests().tests())
        env.tests.update(MathTests().tests())
        env.tests.update(UriTests().tests())
        env.tests.update({"any": any, "all": all})
    env.filters = {name: unrolled(function) for name, function in env.filters.items()}
    return env


def with_jinja2(env, case):
    template = case["template"]
    if case["expression"]:
        template = "{{ (" + template + ") }}"
    try:
        return {"text": env.from_string(template).render(case["vars"])}
    except Exception as error:  # pylint: disable=broad-except
        return {"error": f"{type(error).__name__}: {error}"}


def with_ours(render, cases):
    jobs = [{key: case[key] for key in ("template", "vars", "expression")} for case in cases]
    done = subprocess.run([render], input=json.dumps(jobs), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"render failed: {done.stderr}")
    return json.loads(done.stdout)


def fault(case, theirs, ours):
    """What is wrong, or None."""
    if "error" in case:
        if "text" in theirs or "text" in ours:
            return "an error was expected of both"
        wanted = case["error"]
        if wanted is not True and not (wanted in theirs["error"] and wanted in ours["error"]):
            return f"both errors should say {wanted!r}"
        return None
    if "error" in theirs:
        return "Jinja2 fails"
    return None if theirs == ours else "they differ"


def read_cases(path):
    with open(path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    cases = []
    for kind in ("cases", "ansible", "expressions"):
        for case in document[kind]:
            case = dict(case) if isinstance(case, dict) else {"template": case}
            case.setdefault("name", repr(case["template"])[1:70])
            case.setdefault("vars", document["vars"])
            case.setdefault("expression", kind == "expressions")
            case["ansible"] = kind != "cases"
            case["number"] = len(cases) + 1
            cases.append(case)
    return cases


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    cases = read_cases(sys.argv[2] if len(sys.argv) > 2 else os.path.join(here, "cases.yml"))
    env = environment()
    failed = skipped = 0
    print(f"1..{len(cases)}")
    for case, ours in zip(cases, with_ours(sys.argv[1], cases)):
        label = f"{case['number']} - {case['name']}".replace("#", "\\#")
        if case["ansible"] and not HAVE_ANSIBLE:
            skipped += 1
            print(f"ok {label} # SKIP ansible-core is not installed")
            continue
        theirs = with_jinja2(env, case)
        wrong = fault(case, theirs, ours)
        if wrong is None:
            print(f"ok {label}")
            continue
        failed += 1
        print(f"not ok {label}\n# {wrong}\n#   template: {case['template']!r}\n#   Jinja2: {theirs}\n#   ours:   {ours}")
    if skipped:
        print(f"# {skipped} of {len(cases)} were skipped: {sys.executable} has no ansible-core", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
