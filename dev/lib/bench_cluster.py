"""Throughput of several processes of Cairn over one PostgreSQL, one region of S3 and Redis, and what each part takes."""

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
    most: int
    prepare: Callable[[Device], object]
    act: Callable[[Device], object]
    size: int = 0


class Gauge:
    """Processor time of each part, of the load, and of everything else on the machine."""

    def __init__(self, cluster: LoopbackCluster) -> None:
        self.cluster = cluster
        self.first: dict[str, float] = {}

    def begin(self) -> None:
        """From now on."""
        self.first = self._now()

    def end(self) -> dict[str, float]:
        """Seconds since then."""
        spent = {name: used - self.first[name] for name, used in self._now().items()}
        others = spent.pop("all") - sum(spent.values())
        return spent | {"others": max(0.0, others)}

    def _now(self) -> dict[str, float]:
        # Of the machine: user, nice, system, idle, waiting, interrupts of both kinds.
        ticks = [int(word) for word in next(iter(read_lines("/proc/stat"))).split()[1:8]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return self.cluster.processor() | {"load": time.process_time(), "all": busy}


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
            Work("commits", "api", DEVICES, sys.maxsize, _settle, Device.commit),
            Work("blocks, up", "block", CARRIERS, self.blocks, Device.bring, Device.bring, LARGE),
            Work("blocks, down", "block", CARRIERS, self.blocks, Device.read, Device.read, LARGE),
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

    def _note(self, work: Work, column: str, done: Done, spent: dict[str, float]) -> None:
        count = len(done.times)
        busy = sum(spent.values()) / done.seconds

        def add(row: str, value: float, unit: str) -> None:
            self.figures.add(f"{work.name}: {row}", column, value, unit)

        add("requests in a second", round(count / done.seconds, 1), "/s")
        if work.size:
            add("bytes in a second", round(count * work.size / done.seconds / 1e6, 1), "MB/s")
        for share in (0.5, 0.99):
            add(f"p{share * 100:.0f}", round(percentile(done.times, share) * 1000, 1), "ms")
        for part, seconds in spent.items():
            add(f"processor by request, {part}", round(seconds / count * 1000, 2), "ms")
        add("processors that were busy", round(busy, 2), "x")
        self.say(f"{column}, {work.name}: {count / done.seconds:.0f}/s of {count}, {limit(spent, done.seconds)}")


def _settle(device: Device) -> None:
    device.make_folder()
    device.commit()


def limit(spent: dict[str, float], seconds: float) -> str:
    """Which part holds the rest up, as far as processor time tells."""
    processors = os.cpu_count() or 1
    part = max(spent, key=lambda name: spent[name])
    busy = sum(spent.values()) / seconds
    most = f"most by {part}: {spent[part] / sum(spent.values()):.0%} of what was used"
    if busy >= FULL * processors:
        return f"the limit is the processor ({busy:.2f} of {processors} busy), {most}"
    return f"the limit is no processor ({busy:.2f} of {processors} busy) but waiting, {most}"
