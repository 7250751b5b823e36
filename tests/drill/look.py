#!/usr/bin/python3
"""Looks at what tests/drill/sample.c wrote, with parsers of others. Prints TAP.

usage: look.py FOLDER (from the top of the tree)
"""
import html.parser
import json
import os
import re
import sys
import xml.etree.ElementTree as xml

import jinja2

VOID = {"meta", "br", "hr", "img", "input", "link"}
SVG = "{http://www.w3.org/2000/svg}"
# What https://github.com/testmoapp/junitxml has: element, attributes, what may stand in it.
JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, {"properties", "testcase"}),
    "testcase": ({"name", "classname", "time"}, {"properties", "failure", "skipped", "system-out"}),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "failure": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


class Page(html.parser.HTMLParser):
    """What is in the page, and every tag that does not fit."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.ids, self.links, self.foreign = [], [], [], [], []
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if len(given) != len(attrs):
            self.wrong.append(f"{tag} has an attribute twice")
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        if "src" in given or tag in ("link", "script", "iframe", "object"):
            self.foreign.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag} at line {self.getpos()[0]}")


def numbers_outside(svg):
    """Coordinates that are not in the picture."""
    width, height = (float(n) for n in svg.get("viewBox").split()[2:])
    for element in svg.iter():
        for name, value in element.attrib.items():
            if name in ("x", "x1", "x2", "cx", "width") and not 0 <= float(value) <= width:
                yield f"{element.tag} {name}={value}"
            if name in ("y", "y1", "y2", "cy", "height") and not 0 <= float(value) <= height:
                yield f"{element.tag} {name}={value}"


def junit_faults(element):
    attributes, children = JUNIT[element.tag]
    if set(element.attrib) != attributes:
        yield f"{element.tag} has {sorted(element.attrib)}"
    for child in element:
        if child.tag in children:
            yield from junit_faults(child)
        else:
            yield f"{child.tag} in {element.tag}"


def junit_sums(suite):
    cases = suite.findall("testcase")
    return {
        "tests": len(cases),
        "failures": len(suite.findall("testcase/failure")),
        "skipped": len(suite.findall("testcase/skipped")),
        "time": round(sum(float(case.get("time")) for case in cases), 3),
    }


def with_jinja2(variables):
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader("templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return env.get_template("drill-report.html.j2").render(variables)


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
        return file.read()


def checks(folder):
    """(what, what is wrong or anything false)"""
    text = read(folder, "page.html")
    page = Page(text)
    pictures = [xml.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.S)]
    yield "the page's tags are in order", page.wrong
    yield "it asks for nothing from elsewhere", page.foreign + re.findall(r"url\(|@import", text)
    yield "no id is there twice", {i for i in page.ids if page.ids.count(i) > 1}
    yield "every link leads somewhere", [href for href in page.links if href[0] != "#" or href[1:] not in page.ids]
    yield "each scenario that ran has a timeline", len(pictures) != 3
    yield "the timelines are in their pictures", [n for svg in pictures for n in numbers_outside(svg)]
    yield "and have a title", [svg for svg in pictures if not svg.find(f"{SVG}title").text]
    yield "Jinja2 makes the same page", with_jinja2(json.loads(read(folder, "variables.json"))) != text
    junit = xml.fromstring(read(folder, "junit.xml"))
    suite = junit.find("testsuite")
    wrong = {k: suite.get(k) for k, v in junit_sums(suite).items() if float(suite.get(k)) != v}
    yield "the JUnit file is one", list(junit_faults(junit))
    yield "its sums are right", wrong
    yield "the JSON report is JSON", json.loads(read(folder, "report.json"))["passed"] is not False


def main(folder):
    failed = 0
    for what, wrong in checks(folder):
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} - {what}")
        if wrong:
            print(f"# {wrong}")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
