#!/usr/bin/python3
"""Holds every file that `pgha-deploy render` wrote against the real Jinja2.

usage: compare.py INVENTORY.json INVENTORY.yml RENDERED

INVENTORY is `inventory show --show-secrets` in both formats: JSON has the merged variables of hosts, but sorts keys as
ansible-inventory does; YAML keeps the order of maps, which templates walk. Which template becomes which file is read from the roles' own
tasks, variables from the inventory and the roles' defaults. Prints TAP lines without a plan; status 1 on a difference.
"""
import glob
import json
import os
import sys

import yaml

sys.path.insert(0, os.path.dirname(__file__))
import render  # noqa: E402


def deep(env, value, scope):
    """Role defaults may be templates, inside lists and maps too; a lone {{ }} keeps its type (native types)."""
    if isinstance(value, dict):
        return {k: deep(env, v, scope) for k, v in value.items()}
    if isinstance(value, list):
        return [deep(env, v, scope) for v in value]
    if isinstance(value, str) and "{{" in value:
        text = value.strip()
        if text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1:
            return env.compile_expression(text[2:-2].strip())(**scope)
        return env.from_string(value).render(scope)
    return value


def inventory(path, ordered):
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    for own in data["_meta"]["hostvars"].values():
        own.update(load(ordered)["all"]["vars"])
    groups = {name: g.get("hosts", []) for name, g in data.items() if name != "_meta"}
    hosts = sorted(data["_meta"]["hostvars"])
    groups["all"] = hosts
    return groups, data["_meta"]["hostvars"]


def variables(host, groups, hostvars):
    scope = {"playbook_dir": "playbooks", "inventory_hostname": host, "groups": groups}
    scope["hostvars"] = {name: {**own, "inventory_hostname": name} for name, own in hostvars.items()}
    return {**hostvars[host], **scope}


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file) or {}


def tasks_of(roles, given):
    """(roles whose defaults it sees, task, its variables), with those of imported roles in their place."""
    for task in load(f"playbooks/roles/{roles[-1]}/tasks/main.yml"):
        if "ansible.builtin.import_role" in task:
            imported = task["ansible.builtin.import_role"]["name"]
            yield from tasks_of(roles + [imported], {**given, **task.get("vars", {})})
        else:
            yield roles, task, given


def files_of(host, groups):
    """(roles, task, its variables) of every task that writes a file, for every role of every play that names the host."""
    for play in load("playbooks/patroni.yml"):
        if host not in groups.get(play["hosts"], []):
            continue
        for role in play.get("roles", []):
            name = role["role"] if isinstance(role, dict) else role
            for task in tasks_of([name], {}):
                if "ansible.builtin.template" in task[1] or "content" in task[1].get("ansible.builtin.copy", {}):
                    roles, one, given = task
                    for item in one.get("loop", [None]):
                        yield roles, one, given if item is None else {**given, "item": item}


def check(host, roles, task, given, scope, rendered):
    env = render.environment("templates")
    scope.update(deep(env, given, scope))
    for role in roles:
        defaults = f"playbooks/roles/{role}/defaults/main.yml"
        if os.path.exists(defaults):
            for name, value in load(defaults).items():
                if name not in scope:
                    scope[name] = deep(env, value, scope)
    if "when" in task and not env.compile_expression(str(task["when"]))(**scope):
        return None
    args = task.get("ansible.builtin.template") or task["ansible.builtin.copy"]
    dest = deep(env, args["dest"], scope)
    if "src" in args:
        wanted = env.get_template(os.path.basename(deep(env, args["src"], scope))).render(scope)
    else:
        wanted = deep(env, args["content"], scope)
    path = os.path.join(rendered, host, dest.lstrip("/"))
    with open(path, encoding="utf-8", newline="") as file:
        got = file.read()
    return path, got == wanted


def main(inventory_path, ordered, rendered):
    groups, hostvars = inventory(inventory_path, ordered)
    failed, seen = 0, set()
    for host in hostvars:
        for roles, task, given in files_of(host, groups):
            outcome = check(host, roles, task, given, variables(host, groups, hostvars), rendered)
            if outcome is None:
                continue
            path, same = outcome
            seen.add(os.path.normpath(path))
            if not same:
                failed += 1
                print(f"# differs from Jinja2's: {path}")
    for path in glob.glob(os.path.join(rendered, "**"), recursive=True):
        if os.path.isfile(path) and os.path.normpath(path) not in seen:
            failed += 1
            print(f"# no template task for: {path}")
    print(f"# {len(seen)} files compared")
    return 1 if failed or not seen else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
