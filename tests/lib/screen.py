"""Runs a command on a terminal of its own and tells what is on the screen.

screen.py [--until REGEX ACTION] WIDTH HEIGHT COMMAND...

ACTION is done once, when a line on the screen matches: `interrupt` types Ctrl-C, `WIDTHxHEIGHT` makes the window that
size. Prints what is left on the screen at the end, and to stderr, a line each: how many lines that are not to wrap were
wider than the screen, whether at the end the cursor is visible and lines wrap, and whether ACTION was done.
The exit status is the command's.
"""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time


class Screen:
    """As much of a terminal as the program uses; anything else is a fault."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.lines, self.row, self.column = [""], 0, 0
        self.wraps, self.shown, self.cut = True, True, 0
        self.rest = ""

    def feed(self, text):
        text = self.rest + text
        at = 0
        for match in re.finditer(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|\r|\n|\x1b[^\[]|\x1b\[?[0-9;?]*$|[^\x1b\r\n]+", text):
            part = match.group()
            if part.startswith("\x1b") and not match.group(3):
                self.rest = part
                return
            at = match.end()
            self.take(part, match.group(1), match.group(2), match.group(3))
        self.rest = text[at:]

    def take(self, part, private, number, command):
        if part == "\r":
            self.column = 0
        elif part == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
        elif command == "A":
            self.row = max(self.row - int(number or 1), len(self.lines) - self.height, 0)
        elif command == "J":
            del self.lines[self.row + 1 :]
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif command == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif command in ("h", "l") and private and number == "7":
            self.wraps = command == "h"
        elif command in ("h", "l") and private and number == "25":
            self.shown = command == "h"
        elif command == "m":
            pass
        elif command:
            raise SystemExit(f"screen.py: {part!r} is not known")
        else:
            self.write(part)

    def resize(self, width, height):
        """Lines that are too long now go on in the next one, as terminals have it."""
        lines = [line[at : at + width] for line in self.lines for at in range(0, max(len(line), 1), width)]
        self.row += len(lines) - len(self.lines)
        self.lines, self.width, self.height = lines, width, height

    def write(self, text):
        if not self.wraps and self.column + len(text) > self.width:
            self.cut += 1
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + text + line[self.column + len(text) :]
        self.column += len(text)


def set_size(fd, width, height):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def act(fd, screen, action):
    if action == "interrupt":
        os.write(fd, b"\x03")
    else:
        screen.resize(*map(int, action.split("x")))
        set_size(fd, screen.width, screen.height)


def run(arguments):
    until = action = None
    if arguments[0] == "--until":
        until, action, arguments = arguments[1], arguments[2], arguments[3:]
    screen = Screen(int(arguments[0]), int(arguments[1]))
    pid, fd = pty.fork()
    if pid == 0:
        set_size(0, screen.width, screen.height)
        os.execvp(arguments[2], arguments[2:])
    end = time.monotonic() + 240
    while select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:  # the command has ended
            break
        screen.feed(data.decode("utf-8", "replace"))
        if until and any(re.search(until, line) for line in screen.lines):
            act(fd, screen, action)
            until = None
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print("\n".join(screen.lines).rstrip("\n"))
    print(f"cut: {screen.cut}\ncursor: {screen.shown}\nwraps: {screen.wraps}\nacted: {not until}", file=sys.stderr)
    return status


sys.exit(run(sys.argv[1:]))
