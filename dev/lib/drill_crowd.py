"""Very many parked polls of one account, held by the load client, for the case in which a notification server fails."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from drill_device import DrillDevice
from drill_history import OK, Verdict
from drill_parts import Cluster
from notify_crowd import Seat, write_table
from notify_load import NotifyLoad, build, wait_until
from notify_server import parked_at

# How many devices are asked about at once.
WINDOW = 500
KNOWN_WITHIN = 30.0


class ParkedCrowd:
    """Devices that poll at the first notification server, and go to the second when they are cut off."""

    def __init__(self, cluster: Cluster, folder: Path, polls: int, author: DrillDevice) -> None:
        self.polls, self.author = polls, author
        namespace = bytes.fromhex(author.namespace)
        found = cluster.rows("SELECT id, owner FROM namespace")
        account = next(bytes(owner) for each, owner in found if bytes(each) == namespace)
        head = author.changes(0).revision
        table = folder / "crowd"
        write_table(table, (Seat(account, os.urandom(16), namespace, head).packed() for _ in range(polls)))
        version, key = cluster.poll_key()
        self.hosts = [f"{host}:{port}" for host, port in cluster.endpoints("notify")][:2]
        self.load = NotifyLoad(build(folder), table, key=key, version=version)
        self._ask("servers", *self.hosts)
        parked = self._ask("park", 0, polls, self._limit)
        if not parked["complete"]:
            self.close()
            raise RuntimeError(f"not all could park: {parked}")

    def close(self) -> None:
        """Ends the client, and with it every poll."""
        self.load.close()

    @property
    def _limit(self) -> float:
        return 60 + self.polls * 500e-6

    def _ask(self, *words: object) -> dict[str, Any]:
        return self.load.ask(*words)

    def parked(self) -> int:
        """How many polls all servers hold together, the load's own among them."""
        return sum(max(0, parked_at(host)) for host in self.hosts)

    def back(self, since: float, host: int) -> float:
        """Seconds from a moment until all are parked at one server; infinite when that does not happen."""
        there = wait_until(lambda: parked_at(self.hosts[host]) >= self.polls, self._limit)
        return time.monotonic() - since if there else float("inf")

    def check(self) -> Verdict:
        """Commits, and looks whether each of them is told."""
        verdict = Verdict("the parked crowd is told")
        # A connection that has rested for so long may have been ended by whoever is in between.
        self.author.close()
        commit = self.author.folder(f"/told-{self.polls}")
        if commit.outcome != OK:
            verdict.problems.append(f"the commit that is to be told failed: {commit}")
            return verdict
        told = wait_until(lambda: self._knowing(commit.revision) == self.polls, KNOWN_WITHIN, pause=0.5)
        verdict.checked = self.polls
        if not told:
            knowing = self._knowing(commit.revision)
            verdict.problems.append(f"{self.polls - knowing} of {self.polls} were not told within {KNOWN_WITHIN:.0f} s")
        status = self._ask("status")
        for wrong in ("foreign", "forbidden", "unauthorized"):
            if status[wrong]:
                verdict.problems.append(f"{status[wrong]} answers were {wrong}")
        return verdict

    def _knowing(self, revision: int) -> int:
        count = 0
        for first in range(0, self.polls, WINDOW):
            devices = self._ask("devices", first, min(WINDOW, self.polls - first))["devices"]
            count += sum(device["revision"] >= revision for device in devices)
        return count
