#!/usr/bin/python3
"""Runs a command and prints "MILLISECONDS KIB": how long it took, and its memory at most.

usage: measure.py COMMAND...

The memory is that of the command and all it has started, shared pages counted once (PSS), looked at
twice a second; of a single process it is exact, as the kernel counted it.
"""
import resource
import subprocess
import sys
import threading
import time

INTERVAL = 0.5


def descendants(pid):
    yield pid
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except OSError:
        return
    for child in children:
        yield from descendants(int(child))


def pss(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("Pss:")), 0)
    except OSError:
        return 0


def main(command):
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        ended, most = threading.Event(), 0

        def watch():
            nonlocal most
            while not ended.wait(INTERVAL):
                most = max(most, sum(pss(pid) for pid in descendants(process.pid)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        status = process.wait()
        took = time.monotonic() - began
        ended.set()
        watcher.join()
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(round(took * 1000), max(most, largest))
    return status


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
