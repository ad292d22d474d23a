"""Throughput of several processes of Cairn over one PostgreSQL, S3 and Redis, and the processor time of each part."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster_load import LARGE, Device, Done, Stretch
from cluster_loopback import PASSWORD, LoopbackCluster
from figures import Figures, read_lines
from notify_load import percentile
from thin import ThinClient

COUNTS = (1, 2, 4)
ACCOUNTS, DEVICES = 8, 32
# So many devices bring blocks at once, so many blocks each at most.
CARRIERS, BLOCKS = 8, 60
SECONDS = 20.0
# Of all processors together; with more there is nothing left to be had.
FULL = 0.9


@dataclass
class Work:
    """What all devices do for a while."""

    name: str
    role: str
    devices: int
    # How often each device does it at most.
    most: Callable[[Device], int]
    prepare: Callable[[Device], object]
    act: Callable[[Device], object]
    size: int = 0


@dataclass
class Spent:
    """Seconds of processor time of each part, of the load and of everything else, in a stretch of time."""

    wall: float
    parts: dict[str, float]
    others: float

    @property
    def busy(self) -> float:
        """How many processors were busy, whatever with."""
        return (sum(self.parts.values()) + self.others) / self.wall


class Gauge:
    """Counts processor time between two moments."""

    def __init__(self, cluster: LoopbackCluster) -> None:
        self.cluster = cluster
        self.first = (0.0, 0.0, {"": 0.0})

    def begin(self) -> None:
        """From now on."""
        self.first = self._now()

    def end(self) -> Spent:
        """What was used since then."""
        wall, busy, parts = self.first
        now_wall, now_busy, now_parts = self._now()
        spent = {name: used - parts[name] for name, used in now_parts.items()}
        return Spent(now_wall - wall, spent, max(0.0, now_busy - busy - sum(spent.values())))

    def _now(self) -> tuple[float, float, dict[str, float]]:
        # Of the machine: user, nice, system, idle, waiting, interrupts of both kinds.
        ticks = [int(word) for word in next(iter(read_lines("/proc/stat"))).split()[1:8]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy, {"load": time.process_time()} | self.cluster.processor()


class ClusterBench:
    """The same load on one, two and four processes of either role."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.figures, self.say = figures, say
        self.cluster = LoopbackCluster(folder / "cluster", programs, max(COUNTS))
        self.seconds, self.blocks = max(1.0, SECONDS * scale), max(4, int(BLOCKS * scale))
        self.devices: list[Device] = []

    def run(self, runs: int, only: str) -> None:
        """Rounds of all counts; `only` leaves out the loads whose name does not hold the word."""
        # Thirty threads share one interpreter: none is to hold it for long.
        sys.setswitchinterval(0.0005)
        self.cluster.folder.mkdir()
        self.cluster.start()
        for number in range(runs):
            for count in COUNTS if number % 2 == 0 else reversed(COUNTS):
                self.cluster.serve(count)
                if not self.devices:
                    self._gather()
                for work in self._works():
                    # What is read has to be brought.
                    if only in work.name or (work.name == "blocks, up" and only in "blocks, down"):
                        self._measure(work, count)
                self.cluster.rest()

    def close(self) -> None:
        """Ends all processes."""
        for device in self.devices:
            device.close()
        self.cluster.end()

    def _gather(self) -> None:
        for account in range(ACCOUNTS):
            self.cluster.add_account(f"account-{account}")
        for place in range(DEVICES):
            client = ThinClient(self.cluster.endpoints("api")[0])
            answer = client.login(f"account-{place % ACCOUNTS}", PASSWORD, f"device {place}")
            if answer.status != 200:
                raise RuntimeError(f"the login was refused: {answer.status} {answer.detail}")
            self.devices.append(Device(client))

    def _works(self) -> Sequence[Work]:
        # What comes first is not counted: a connection, and whatever a process makes for a device once.
        return [
            Work("commits", "api", DEVICES, lambda _: sys.maxsize, _settle, Device.commit),
            Work("blocks, up", "block", CARRIERS, lambda _: self.blocks, Device.bring, Device.bring, LARGE),
            Work(
                "blocks, down", "block", CARRIERS, lambda device: len(device.brought), Device.read, Device.read, LARGE
            ),
        ]

    def _measure(self, work: Work, count: int) -> None:
        endpoints = self.cluster.endpoints(work.role)
        devices = self.devices[: work.devices]
        for place, device in enumerate(devices):
            device.connect(endpoints[place % len(endpoints)])
        gauge = Gauge(self.cluster)
        done = Stretch(devices, self.seconds, work.most).run(work.prepare, work.act, gauge.begin)
        spent = gauge.end()
        for device in devices:
            device.close()
        self._note(work, f"{count} of each", done, spent)

    def _note(self, work: Work, column: str, done: Done, spent: Spent) -> None:
        count = len(done.times)

        def add(row: str, value: float, unit: str) -> None:
            self.figures.add(f"{work.name}: {row}", column, value, unit)

        add("requests in a second", round(count / done.seconds, 1), "/s")
        if work.size:
            add("bytes in a second", round(count * work.size / done.seconds / 1e6, 1), "MB/s")
        for share in (0.5, 0.99):
            add(f"p{share * 100:.0f}", round(percentile(done.times, share) * 1000, 1), "ms")
        for part, seconds in (spent.parts | {"others": spent.others}).items():
            add(f"processor by request, {part}", round(seconds / count * 1000, 2), "ms")
        add("processors that were busy", round(spent.busy, 2), "x")
        self.say(f"{column}, {work.name}: {count / done.seconds:.0f}/s of {count}, {limit(spent)}")


def _settle(device: Device) -> None:
    device.make_folder()
    device.commit()


def limit(spent: Spent) -> str:
    """Which part holds the rest up, as far as processor time tells."""
    processors = os.cpu_count() or 1
    part = max(spent.parts, key=lambda name: spent.parts[name])
    what = "the processor" if spent.busy >= FULL * processors else "no processor, but waiting"
    share = spent.parts[part] / sum(spent.parts.values())
    return (
        f"the limit is {what}: {spent.busy:.2f} of {processors} busy, "
        f"{spent.others / spent.wall:.2f} with what is not ours; most is taken by {part}, {share:.0%} of ours"
    )
