"""Holds a file of events against docs/events.md: events.py FILE [KIND...]

Every line is one JSON object of a documented kind with documented fields of the documented type. The kinds named must
have come. Prints what is wrong; exits with 1 then.
"""

import json
import re
import sys


def tables(page):
    """kind -> its fields, and field -> its type."""
    kinds, fields = {}, {}
    for line in open(page, encoding="utf-8"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3 or not re.fullmatch(r"`\w+`", cells[0]):
            continue
        name = cells[0].strip("`")
        if cells[1] in ("string", "integer"):
            fields[name] = {"string": str, "integer": int}[cells[1]]
        else:
            kinds[name] = set(re.findall(r"`(\w+)`", cells[2]))
    return kinds, fields


def faults(path, kinds, fields):
    seen, last = set(), None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        event = json.loads(line)
        last = event["kind"]
        seen.add(last)
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("time")):
            yield f"{number}: no time"
        if event.pop("kind") not in kinds:
            yield f"{number}: no such kind: {last}"
            continue
        for name, value in event.items():
            if name not in kinds[last]:
                yield f"{number}: {last} has no {name}"
            elif type(value) is not fields[name]:
                yield f"{number}: {name} is {value!r}"
    if last != "run_end":
        yield f"the last event is {last}"
    for kind in sys.argv[2:]:
        if kind not in seen:
            yield f"there is no {kind}"


found = list(faults(sys.argv[1], *tables("docs/events.md")))
print("\n".join(found), end="")
sys.exit(bool(found))
