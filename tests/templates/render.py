#!/usr/bin/python3
"""Renders every template with the real Jinja2, set as Ansible's template module sets it.

usage: render.py TEMPLATES VARS.json OUT

Every templates/*.j2 is rendered for every host of VARS.json into OUT/HOST/NAME. VARS.json has
"groups" (name -> hosts), "all" (variables of every host) and "hosts" (name -> its own variables).
An undefined variable or a syntax error ends it with status 1 and the template's name and line.
"""
import base64
import json
import os
import re
import shlex
import sys

import jinja2


def to_bool(value):
    if isinstance(value, (bool, type(None))):
        return value
    return str(value).lower() in ("yes", "on", "1", "true", "y", "t")


# What Ansible adds to Jinja2's own filters, as far as the templates may use it.
ANSIBLE_FILTERS = {
    "to_json": json.dumps,
    "quote": lambda value: shlex.quote(str(value)),
    "b64encode": lambda value: base64.b64encode(str(value).encode()).decode(),
    "bool": to_bool,
    "regex_replace": lambda value, pattern, by="": re.sub(pattern, by, str(value)),
    "ternary": lambda value, yes, no: yes if value else no,
    "dict2items": lambda value: [{"key": k, "value": v} for k, v in value.items()],
}


def environment(folder):
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(ANSIBLE_FILTERS)
    return env


def variables_of(host, sample):
    merged = {**sample["all"], **sample["hosts"][host]}
    merged["inventory_hostname"] = host
    merged["groups"] = sample["groups"]
    merged["hostvars"] = {
        name: {**sample["all"], **own, "inventory_hostname": name}
        for name, own in sample["hosts"].items()
    }
    return merged


def main(folder, vars_file, out):
    with open(vars_file, encoding="utf-8") as file:
        sample = json.load(file)
    env = environment(folder)
    for host in sample["hosts"]:
        os.makedirs(os.path.join(out, host), exist_ok=True)
        for name in env.list_templates(extensions=["j2"]):
            try:
                text = env.get_template(name).render(variables_of(host, sample))
            except jinja2.TemplateError as error:
                # The innermost frame of a template's code has the template's line.
                line, frame = getattr(error, "lineno", None), error.__traceback__
                while frame:
                    if frame.tb_frame.f_code.co_filename.endswith(name):
                        line = frame.tb_lineno
                    frame = frame.tb_next
                sys.exit(f"{name}:{line}: {error} (host {host})")
            path = os.path.join(out, host, name.removesuffix(".j2"))
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
