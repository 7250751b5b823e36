#!/usr/bin/env python3
"""The longest chain of calls that depend on each other: aws_chain.py RESOURCES_JSON <LOG, a call a line; prints its length and it.

A call depends on the one that made what it names by id, and on the look that told that it is ready; on what its own kind has to
do before (a role before its policy); and the first that changes something on the looks of the plan. So it is what AWS asks for, not
the order that the program chose.
"""
import json
import sys

BEFORE = {  # what AWS wants done first, although no id tells
    "CreateNatGateway": {"AttachInternetGateway"},
    "PutRolePolicy": {"CreateRole"},
    "AddRoleToInstanceProfile": {"CreateRole", "CreateInstanceProfile"},
    "RunInstances": {"ImportKeyPair"},
    "CreateSubnet": {"DescribeAvailabilityZones"},
}
CHANGES = ("Create", "Run", "Allocate", "Import", "Attach", "Modify", "Put", "Add", "Authorize", "Associate")


def made_by(call, resources):
    """The id of what it made, by the tag that it gave."""
    tags = [value for name, value in call["params"].items() if name.startswith("TagSpecification.1.Tag.") and name.endswith(".Value")]
    return next((resources[value] for value in tags if value in resources), None)


def chain(calls, resources):
    first_change = next(n for n, call in enumerate(calls) if call["action"].startswith(CHANGES))
    makers, longest = {}, []
    for n, call in enumerate(calls):
        before = []
        if n >= first_change:
            before += range(first_change)
        for value in call["params"].values():
            before += makers.get(value, [])
        for earlier in range(n):
            action = calls[earlier]["action"]
            if action in BEFORE.get(call["action"], ()):
                before.append(earlier)
            if call["action"] == "RunInstances" and action == "AddRoleToInstanceProfile" and "IamInstanceProfile.Name" in call["params"]:
                before.append(earlier)
            if call["action"] == "RunInstances" and action == "DescribeImages" or call["action"] == "DescribeImages" and action == "DescribeInstanceTypes":
                before.append(earlier)
        best = max((longest[earlier] for earlier in before if earlier < n), key=len, default=[])
        if call["action"].startswith("Describe") and n < first_change:
            best = []
        longest.append(best + [call["action"]])
        made = made_by(call, resources) if call["action"].startswith(CHANGES) else None
        if made:
            makers.setdefault(made, []).append(n)
        filters = [value for name, value in call["params"].items() if name.startswith("Filter.")]
        if call["action"].startswith("Describe"):
            for value in filters:
                if value in makers:
                    makers[value].append(n)
    return max(longest, key=len)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        known = {f"{item['kind']}.{item['name']}": item["actual"]["id"] for item in json.load(file) if (item["actual"] or {}).get("id")}
    path = chain([json.loads(line) for line in sys.stdin], known)
    print(len(path), " ".join(path))
