"""Processor time, wall time and peak memory of programs: of those that end by wait4, of those that run on by /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LAUNCH = Path(__file__).with_name("launch.py")


@dataclass
class Usage:
    """What a program used: seconds, and bytes of memory at the peak."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


@dataclass
class Finished:
    """How a program ended."""

    code: int
    output: str
    errors: str
    usage: Usage


class CommandFailed(Exception):
    """A program ended with another code than it should."""


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input: str | None = None,
    check: bool = True,
) -> Finished:
    """Runs a program to its end and measures it and its children."""
    words = [str(word) for word in command]
    reader, writer = os.pipe()
    with open_temporary() as out, open_temporary() as err, open_temporary() as stdin, os.fdopen(reader) as report:
        stdin.write((input or "").encode())
        stdin.seek(0)
        try:
            launch = [sys.executable, "-S", "-E", str(LAUNCH), str(writer), *words]
            process = subprocess.Popen(
                launch, env=env, cwd=cwd, stdin=stdin, stdout=out, stderr=err, pass_fds=[writer], start_new_session=True
            )
        finally:
            os.close(writer)
        try:
            process.wait()
        except BaseException:
            # We are told to end: what we started ends with us, the launcher and what it launched.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        figures = report.read().split()
        if len(figures) != 4:
            raise CommandFailed(f"{' '.join(words)} was ended with its launcher")
        code = os.waitstatus_to_exitcode(int(figures[0]))
        usage = Usage(float(figures[1]), float(figures[2]), int(figures[3]))
        out.seek(0)
        err.seek(0)
        finished = Finished(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"), usage)
    if check and finished.code != 0:
        tail = (finished.output + finished.errors)[-3000:]
        raise CommandFailed(f"{' '.join(words)} ended with {finished.code}:\n{tail}")
    return finished


def open_temporary() -> IO[bytes]:
    """A file without a name: unlike a pipe it can't fill up while nobody reads."""
    return tempfile.TemporaryFile()


def processor_seconds(pid: int) -> float:
    """Processor time that a running program has used, with that of its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def peak_memory(pid: int) -> int:
    """The most memory that a running program had resident, in bytes, since `forget_peak`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def forget_peak(pid: int) -> None:
    """Starts the count of the peak anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


class Meter:
    """Measures a running program over a stretch of time."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        forget_peak(pid)
        self._cpu = processor_seconds(pid)
        self._started = time.monotonic()

    def stop(self) -> Usage:
        """What it used since the meter was made."""
        return Usage(time.monotonic() - self._started, processor_seconds(self.pid) - self._cpu, peak_memory(self.pid))


def median(usages: Sequence[Usage]) -> Usage:
    """The median of each figure by itself; of memory the greatest, since a limit is what it is compared with."""
    return Usage(
        statistics.median(usage.wall for usage in usages),
        statistics.median(usage.cpu for usage in usages),
        max(usage.memory for usage in usages),
    )
