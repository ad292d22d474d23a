"""One embedded server as the system of a cluster drill: it has fewer parts, and what takes over is the server itself once
it is back. What a drill checks is the same."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from cairn import Server
from drill_parts import Endpoint
from gate import Gate
from measure import run
from notify_seed import poll_key
from notify_server import NotifyProcess
from peers import free_port

FAILED = re.compile(r"^cairn_storage_region_failures_total\S* (\d+)", re.MULTILINE)
PENDING = re.compile(r"^cairn_storage_pending_repairs\S* (\d+)", re.MULTILINE)


class SingleServer:
    """A server with two regions and two queues, and two notification processes beside it."""

    name = "one server"
    style = "sqlite"
    tls = None

    def __init__(self, folder: Path, programs: Path, polls: int) -> None:
        self.folder, self.programs = folder, programs
        self.regions = {"first": folder / "server" / "packs", "second": folder / "region"}
        notify = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        # Packs are small, so that a region that is away is missed soon.
        options = ["--queue", str(folder / "queue"), "--pack-size", "1M"]
        for host in notify:
            options += ["--notify-url", f"http://{host}"]
        self.server = Server(folder / "server", programs, [self.regions["second"]], options=options)
        self.server.start()
        self.gate = Gate(self.server.endpoint)
        self.notify = [
            NotifyProcess(folder / "server", programs, polls, f"notify-{place}", host)
            for place, host in enumerate(notify)
        ]
        for process in self.notify:
            process.start()
        self._mend: dict[str, Callable[[], None]] = {}
        self._failures = 0

    @property
    def endpoint(self) -> Endpoint:
        """The gate."""
        return self.gate.endpoint

    def endpoints(self, role: str) -> list[Endpoint]:
        """The one server, or the notification processes."""
        if role != "notify":
            return [self.server.endpoint]
        hosts = [process.host.rpartition(":") for process in self.notify]
        return [(host, int(port)) for host, _, port in hosts]

    def parts(self) -> list[str]:
        """There is neither a balancer, nor a cache, nor a database server."""
        return ["api", "blocks", "region", "notify", "queue"]

    def harms(self, part: str) -> list[str]:
        """A folder can only go away; the notification processes are reached without the gate."""
        return {"region": ["kill"], "queue": ["kill"], "notify": ["kill", "freeze"]}.get(
            part, ["kill", "freeze", "cut"]
        )

    def least_hold(self, part: str) -> float:
        """What takes over here does so at once, or not at all."""
        return 0

    def takes_over(self, part: str) -> bool:
        """A folder that is a region is needed for each write: one server promises as many copies as it has regions."""
        return part in ("notify", "queue")

    def harm(self, part: str, how: str) -> None:
        """Does it, and remembers what mends it."""
        if how not in self.harms(part) or part in self._mend:
            raise ValueError(f"{part} can't be harmed by {how} now")
        if part == "region":
            self._mend[part] = self._lose_region()
        elif part == "queue":
            self._mend[part] = self._lose_queue()
        elif how == "cut":
            self.gate.cut()
            self._mend[part] = self.gate.mend
        else:
            self._mend[part] = self._signal(self.notify[0] if part == "notify" else self.server, how)

    def mend(self, part: str) -> None:
        """Brings it back."""
        self._mend.pop(part)()

    def _signal(self, process: Server | NotifyProcess, how: str) -> Callable[[], None]:
        if how == "freeze":
            pid = process.pid
            os.kill(pid, signal.SIGSTOP)
            return lambda: os.kill(pid, signal.SIGCONT)
        process.kill()
        return process.start

    def _lose_region(self) -> Callable[[], None]:
        self._failures = self._metric(FAILED)
        place = self.regions["second"]
        away = place.with_name("region-away")
        place.rename(away)
        return lambda: (away.rename(place), None)[1]

    def _lose_queue(self) -> Callable[[], None]:
        """Has a folder where the first queue's file was, after the server was killed in the middle of writes."""
        first = self.server.data / "queue-1"
        self.server.kill()
        for path in first.glob("queue.db*"):
            path.unlink()
        (first / "queue.db").mkdir()
        self.server.start()
        return lambda: (first / "queue.db").rmdir()

    # Looking

    def s3_regions(self) -> list[str]:
        """The folders of packs."""
        return list(self.regions)

    def _metric(self, which: re.Pattern[str]) -> int:
        found = which.findall(self.server.get("/metrics")[1])
        return sum(int(each) for each in found)

    def whole(self, region: str, within: float) -> str:
        """By the server's own count of what waits for repair; a region that was never missed is no proof of anything."""
        if region == "second" and self._metric(FAILED) <= self._failures:
            return "the region was never missed: there was too little load"
        deadline = time.monotonic() + within
        while waiting := self._metric(PENDING):
            if time.monotonic() > deadline:
                return f"{waiting} repairs wait still after {within:.0f} s"
            time.sleep(0.2)
        return ""

    def export(self, region: str, account: str, into: Path) -> str:
        """From a data folder of its own that has the database and the keyring, but no packs: the server's own folder would
        always be read as its first region."""
        view = self.folder / "view"
        view.mkdir()
        try:
            shutil.copy(self.server.data / "keyring", view)
            with self._database() as source, contextlib.closing(sqlite3.connect(view / "cairn.db")) as copy:
                source.backup(copy)
            words: list[str | Path] = [self.programs / "cairn-server", "export", into, "--data", view]
            finished = run([*words, "--account", account, "--region", self.regions[region]], check=False)
            return "" if finished.code == 0 else f"export ended with {finished.code}: {finished.errors[-500:]}"
        finally:
            shutil.rmtree(view)

    def _database(self) -> contextlib.closing[sqlite3.Connection]:
        return contextlib.closing(sqlite3.connect(f"file:{self.server.data / 'cairn.db'}?mode=ro", uri=True))

    def add_account(self, name: str, password: str) -> None:
        """By the command."""
        self.server.add_account(name, password)

    def rows(self, question: str) -> list[tuple]:
        """From the file, beside the server."""
        with self._database() as database:
            return database.execute(question).fetchall()

    def poll_key(self) -> tuple[int, bytes]:
        """From the keyring."""
        return poll_key(self.server.data / "keyring")

    def close(self) -> None:
        """Ends every process; a frozen one dies as well."""
        self.gate.close()
        for process in self.notify:
            process.kill()
        self.server.kill()
