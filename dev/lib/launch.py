"""Runs one program and reports its wall time, processor time and peak memory, from within a small process.

Linux counts a program's peak memory from the one that forked it on, so that a large Python program can't measure a
small child. This one is started as `python3 -S -E launch.py FD PROGRAM ARGUMENT...`, stays small, and writes "status
wall cpu peak" to the descriptor.
"""

import os
import sys
import time


def main() -> None:
    """Forks, waits and reports."""
    report = int(sys.argv[1])
    os.set_inheritable(report, False)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.execvp(sys.argv[2], sys.argv[2:])
        except OSError as error:
            os.write(2, f"{sys.argv[2]}: {error.strerror}\n".encode())
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - started
    cpu = usage.ru_utime + usage.ru_stime
    os.write(report, f"{status} {wall} {cpu} {usage.ru_maxrss * 1024}".encode())


main()
