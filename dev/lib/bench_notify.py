"""What parked polls cost, how fast they are woken, and how a crowd comes back: of Cairn, and of nginx with nchan."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cairn import Server
from kernel_memory import Reading, read_memory, slabs
from measure import processor_seconds
from notify_crowd import Crowd, Group, strangers
from notify_load import NotifyLoad, build, percentile, wait_until
from notify_peer import Nchan
from notify_seed import gather
from notify_server import CairnSystem

REAL_ACCOUNTS = 20
STORM = 100_000
SPREAD_MS = 4000
# A poll that hears of a commit later than this is lost.
LOST_AFTER = 10.0
# Between two commits, so that each finds the machine at rest.
PAUSE = 0.02


class System(Protocol):
    """What is measured."""

    @property
    def host(self) -> str:
        """Where polls go."""

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where the requests go that give news."""

    @property
    def pids(self) -> list[int]:
        """Its processes."""

    def parked(self) -> int:
        """How many polls it holds."""

    def move(self, group: Group) -> bytes:
        """A request that gives news to a group."""


class NchanSystem(Nchan):
    """The peer, which is given news for a group as for a seat."""

    def move(self, group: Group) -> bytes:
        """A request that gives news to a group."""
        return self.publish(group.namespace)


class Round:
    """One system under the load client, from the first poll to the last answer."""

    def __init__(self, system: System, load: NotifyLoad, crowd: Crowd, say: Callable[[str], None]) -> None:
        self.system, self.load, self.crowd, self.say = system, load, crowd, say
        self.figures: dict[str, Any] = {"polls": crowd.polls}

    def run(self, wakes: int) -> dict[str, Any]:
        """All phases, once the system has done what a start brings with it."""
        self._come_to_rest()
        self.load.ask("servers", self.system.host)
        self._park()
        self._wake(wakes)
        self._storm()
        self._wake_all()
        status = self.load.ask("status")
        self.figures["refused"] = status["refused"]
        self.figures["errors"] = status["failed"] + status["unauthorized"] + status["forbidden"] + status["foreign"]
        return self.figures

    def _come_to_rest(self) -> None:
        """Waits until the processes do next to nothing for a second: a server that starts notes who is away."""
        started = time.monotonic()

        def rests() -> bool:
            before = self._cpu()
            time.sleep(1)
            return self._cpu() - before < 0.02

        if not wait_until(rests, self._limit()):
            raise RuntimeError("the system does not come to rest after its start")
        self.figures["start_seconds"] = round(time.monotonic() - started, 1)

    def _cpu(self) -> float:
        return sum(processor_seconds(pid) for pid in self.system.pids)

    def _all_parked(self, within: float) -> bool:
        return wait_until(lambda: self.system.parked() == self.crowd.polls, within)

    def _limit(self) -> float:
        """Seconds that a phase may take: the slowest system seen needs 100 µs for a poll."""
        return 60 + self.crowd.polls * 300e-6

    def _park(self) -> None:
        """Everybody connects and polls."""
        before, kinds, cpu = read_memory(self.system.pids), slabs(), self._cpu()
        parked = self.load.ask("park", 0, self.crowd.polls, self._limit())
        self._all_parked(30)
        started = time.monotonic()
        cpu = self._cpu() - cpu
        # What was freed meanwhile is given back late.
        time.sleep(max(0.0, 1 - (time.monotonic() - started)))
        memory = read_memory(self.system.pids).since(before)
        self.figures |= {
            "parked": self.system.parked(),
            "park_seconds": round(parked["seconds"], 3),
            "connect_cpu_us": round(cpu / self.crowd.polls * 1e6, 2),
        }
        self._note_memory(memory, kinds)
        self.say(f"{self.figures['parked']} parked in {parked['seconds']:.1f} s")

    def _note_memory(self, memory: Reading, kinds: dict[str, int]) -> None:
        """Of the kernel's memory half is the client's: each end of a connection costs the same."""
        polls = self.crowd.polls
        grown = {name: (size - kinds.get(name, 0)) / polls / 2 for name, size in slabs().items()}
        largest = sorted(grown.items(), key=lambda item: -item[1])[:8]
        self.figures |= {
            "server_bytes_per_poll": round(memory.proportional / polls, 1),
            "server_resident_bytes_per_poll": round(memory.resident / polls, 1),
            "kernel_bytes_per_poll": round(memory.kernel / polls / 2, 1),
            "kernel_objects_per_poll": {name: round(size, 1) for name, size in largest if size >= 1},
        }

    def _wake(self, wakes: int) -> None:
        """Commits by accounts of the crowd; each has to reach the devices of its account."""
        told: list[float] = []
        from_request: list[float] = []
        acknowledged: list[float] = []
        last: list[float] = []
        self.figures["lost"] = 0
        for number in range(wakes):
            time.sleep(PAUSE)
            group = self.crowd.groups[number % len(self.crowd.groups)]
            status, answered, times = self.load.wake(
                group.first, len(group.seats), LOST_AFTER, self.system.endpoint, self.system.move(group)
            )
            if status not in (200, 201, 202):
                raise RuntimeError(f"a commit was answered {status}")
            heard = [at for at in times if at is not None]
            self.figures["lost"] += len(times) - len(heard)
            told += [at - answered for at in heard]
            from_request += heard
            acknowledged.append(answered)
            last += [max(heard) - answered] if len(heard) == len(times) else []
        self._note_wakes("wake", told)
        self._note_wakes("wake_last_device", last)
        self._note_wakes("wake_from_request", from_request)
        self._note_wakes("acknowledged", acknowledged)
        self.say(f"{wakes} woken: p50 {self.figures['wake_p50_ms']} ms, p99 {self.figures['wake_p99_ms']} ms")

    def _note_wakes(self, name: str, times: list[float]) -> None:
        self.figures[f"{name}_p50_ms"] = round(statistics.median(times) * 1e3, 3) if times else None
        self.figures[f"{name}_p99_ms"] = round(percentile(times, 0.99) * 1e3, 3) if times else None

    def _storm(self) -> None:
        """Many are cut off at once and come back, each at a moment of its own."""
        count = min(STORM, self.crowd.polls)
        refused = self.load.ask("status")["refused"]
        cpu, started = self._cpu(), time.monotonic()
        cut = self.load.ask("cut", count, SPREAD_MS, self._limit())
        back = self._all_parked(self._limit()) and cut["parked"] == self.crowd.polls
        seconds = time.monotonic() - started
        self.figures |= {
            "storm_polls": count,
            "storm_spread_seconds": SPREAD_MS / 1000,
            "storm_seconds": round(seconds, 3) if back else None,
            "storm_cpu_us": round((self._cpu() - cpu) / count * 1e6, 2),
            "storm_refused": self.load.ask("status")["refused"] - refused,
            "never_back": self.crowd.polls - min(cut["parked"], self.system.parked()),
        }
        self.say(f"{count} cut off and parked again in {seconds:.1f} s")

    def _wake_all(self) -> None:
        """All poll for one namespace, as the members of a large shared folder do; one commit wakes them all."""
        group = self.crowd.groups[0]
        self.load.ask("close")
        wait_until(lambda: self.system.parked() == 0, self._limit())
        # What the wakes before have moved it to is what its devices have seen.
        revision = self.load.ask("devices", group.first, 1)["devices"][0]["revision"]
        self.load.ask("common", group.first, revision)
        self.load.ask("set", "again", 0)
        self.load.ask("park", 0, self.crowd.polls, self._limit())
        self._all_parked(30)
        address = "{}:{}".format(*self.system.endpoint)
        cpu = self._cpu()
        woken = self.load.ask("all", self._limit(), address, self.system.move(group).hex())
        self.figures |= {
            "all_woken_seconds": round(woken["last"] / 1e9, 3) if woken["answers"] else None,
            "answer_cpu_us": round((self._cpu() - cpu) / max(1, woken["answers"]) * 1e6, 2),
        }
        self.figures["lost"] += self.crowd.polls - woken["answers"]
        self.say(f"{woken['answers']} answered in {self.figures['all_woken_seconds']} s")


class NotifyBench:
    """Cairn and its peer, one after the other."""

    def __init__(self, folder: Path, programs: Path, say: Callable[[str], None]) -> None:
        self.folder, self.programs, self.say = folder, programs, say
        self.client = build(folder)

    def cairn(self, polls: int, wakes: int, own_process: bool) -> dict[str, Any]:
        """Cairn's figures."""
        server = Server(self.folder / "server", self.programs)
        try:
            crowd = gather(server, self.folder, polls, REAL_ACCOUNTS)
            system = CairnSystem(server, crowd, own_process)
            try:
                if problem := system.token_problem(crowd.groups[0]):
                    raise RuntimeError(problem)
                return self._round(system, crowd, wakes, nchan=False)
            finally:
                system.close()
        finally:
            server.kill()

    def nchan(self, polls: int, wakes: int, tuned: bool) -> dict[str, Any]:
        """The peer's figures."""
        # Its workers give up root, and have to get here.
        os.chmod(self.folder, 0o755)
        crowd = strangers(self.folder, polls, REAL_ACCOUNTS)
        system = NchanSystem(self.folder / f"nchan-{tuned}", polls, tuned)
        try:
            return self._round(system, crowd, wakes, nchan=True)
        finally:
            system.close()

    def _round(self, system: System, crowd: Crowd, wakes: int, nchan: bool) -> dict[str, Any]:
        load = NotifyLoad(
            self.client, crowd.table, key=crowd.key, version=crowd.key_version, nchan=nchan, patience_ms=SPREAD_MS
        )
        try:
            return Round(system, load, crowd, self.say).run(wakes)
        finally:
            load.close()

    @staticmethod
    def table(found: dict[str, Any]) -> str:
        """The figures side by side, as people read them."""
        peer = found.get("nchan", {})
        columns = {"Cairn": found, "nchan, tuned": peer, "nchan, as it comes": peer.get("as_it_comes", {})}
        shown = {name: figures for name, figures in columns.items() if "parked" in figures}
        rows = [name for name in next(iter(shown.values())) if name not in ("command", "machine", "nchan")]
        lines = ["| | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
        for row in rows:
            values = [figures.get(row, "") for figures in shown.values()]
            if not any(isinstance(value, dict) for value in values):
                lines.append(f"| {row} | " + " | ".join(map(str, values)) + " |")
        return "\n".join(lines)
