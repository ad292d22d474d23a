"""One program on a host: started, ended politely or at once, stopped in its tracks, and asked for its last words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cluster.needs import ClusterError
from cluster.network import Network

# A thing that a command line starts is ended by its id; the ids of our own children have to be waited for as well.
_own: dict[int, subprocess.Popen[bytes]] = {}


def wait_until(found: Callable[[], bool], within: float, pause: float = 0.05) -> bool:
    """Asks until it is so; false when it is not so in time."""
    deadline = time.monotonic() + within
    while not found():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def reap() -> None:
    """Waits for those of our own children that have ended."""
    for pid, process in list(_own.items()):
        if process.poll() is not None:
            _own.pop(pid, None)


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """Sends a signal to those that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_at_once(pids: Sequence[int]) -> None:
    """Ends processes as a power cut does: all are halted first, so that none sees another one go and says goodbye for it."""
    send(pids, signal.SIGSTOP)
    send(pids, signal.SIGKILL)


@dataclass
class Program:
    """A program that runs in the namespace of its host, and what it started."""

    network: Network
    host: str
    name: str
    folder: Path
    words: Sequence[str | Path] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    # A program that another one starts says where it writes its id.
    pid_file: Path | None = None
    # What it leaves behind when it is killed, and takes for a sign that it runs.
    leftovers: Sequence[Path] = ()
    # The signal that asks it to end soon; of what takes it slowly there are faster ones.
    farewell: signal.Signals = signal.SIGTERM

    @property
    def title(self) -> str:
        """How it is called on the command line."""
        return f"{self.host}/{self.name}"

    @property
    def is_startable(self) -> bool:
        """Whether it is ours to start."""
        return bool(self.words)

    @property
    def log(self) -> Path:
        """What it writes."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Starts it, when it is not there already."""
        if not self.is_startable or self.pids():
            return
        for path in self.leftovers:
            path.unlink(missing_ok=True)
        words = [*self.network.enter(self.host), *map(str, self.words)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                words, cwd=self.folder, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        _own[process.pid] = process
        self._pid_path.write_text(f"{process.pid}\n")
        if not wait_until(lambda: bool(self.pids()) or process.poll() is not None, 10, 0.005) or not self.pids():
            raise ClusterError(f"{self.title} did not start:\n{self.tail()}")

    @property
    def _pid_path(self) -> Path:
        return self.pid_file or self.folder / f"{self.name}.pid"

    def pids(self) -> list[int]:
        """Its process and those that it started; none when it is gone."""
        reap()
        try:
            root = int(self._pid_path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        # An id may be somebody else's by now; on this host it is not.
        there = set(self.network.processes(self.host))
        return [pid for pid in [root, *descendants(root)] if pid in there] if root in there else []

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to all of it."""
        pids = self.pids()
        if not pids:
            raise ClusterError(f"{self.title} does not run")
        if number == signal.SIGKILL:
            kill_at_once(pids)
            if not wait_until(lambda: not self.pids(), 10, 0.01):
                raise ClusterError(f"{self.title} does not die")
        else:
            send(pids, number)

    def stop(self, within: float = 10) -> None:
        """Asks it to end, and insists after a while."""
        pids = self.pids()
        if not pids:
            return
        send(pids, signal.SIGCONT)
        send(pids[:1], self.farewell)
        if not wait_until(lambda: not self.pids(), within):
            kill_at_once(self.pids())

    def is_frozen(self) -> bool:
        """Whether it is halted."""
        return any(state_of(pid) == "T" for pid in self.pids()[:1])

    def tail(self, lines: int = 20) -> str:
        """Its last words."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def descendants(root: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        new = parents.get(todo.pop(), [])
        found += new
        todo += new
    return found


def state_of(pid: int) -> str:
    """The letter that the kernel has for what a process is doing; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def memory_of(pid: int) -> int:
    """The bytes that a process has in memory, its share of what it shares; 0 when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
