"""How long it takes from an edit on one device until it can be read on the other, both watching a large tree."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import dataset
from cairn import Device, Server, difference, ended
from figures import Figures
from measure import Meter

ACCOUNT, PASSWORD = "bench", "a password for the bench"


class LatencyBench:
    """Two devices watch the same 20,000 files; one of them is edited, now here, now there."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.folder, self.figures, self.scale, self.say = folder, figures, scale, say
        self.server = Server(folder / "server", programs)
        self.devices = [Device(name, folder / f"home-{name}", programs, folder / name) for name in ("one", "two")]
        self.generator = random.Random(6)

    def run(self, edits: int) -> None:
        """Makes the tree, edits, and notes the times."""
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        count = int(20_000 * self.scale)
        for device in self.devices:
            device.folder.mkdir()
            device.login(self.server.url, ACCOUNT, PASSWORD)
        dataset.make_notes(self.devices[0].folder, count)
        for device in [*self.devices, self.devices[0]]:
            device.sync()
        paths = sorted(path.relative_to(self.devices[0].folder) for path in self.devices[0].folder.glob("*/*.txt"))
        with (
            ended(self.devices[0].start("watch", "--quiet")) as one,
            ended(self.devices[1].start("watch", "--quiet")) as two,
        ):
            for _ in range(3):
                self._edit(self.generator.choice(paths), 0)
            idle = self._idle([one.pid, two.pid, self.server.pid])
            times = [self._edit(self.generator.choice(paths), number % 2) for number in range(edits)]
        self._note(f"one edit among {count} files, until it is on the other device", times, idle)
        for device in [*self.devices, self.devices[0]]:
            device.sync()
        if found := difference(self.devices[0].folder, self.devices[1].folder):
            raise RuntimeError(f"the devices differ: {found[:1000]}")

    def close(self) -> None:
        """Ends the server."""
        self.server.kill()

    def _note(self, row: str, times: list[float], idle: list[float]) -> None:
        ordered = sorted(times)
        self.figures.add(row, "p50", statistics.median(ordered), "s")
        self.figures.add(row, "p99", ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], "s")
        self.figures.add(row, "most", ordered[-1], "s")
        for name, share in zip(("client", "other client", "server"), idle, strict=True):
            self.figures.add("nothing happens, share of one processor in percent", name, share * 100, "x")
        self.say(
            f"{row}: p50 {statistics.median(ordered) * 1000:.0f} ms, most {ordered[-1] * 1000:.0f} ms of {len(times)}"
        )

    @staticmethod
    def _idle(pids: list[int], seconds: float = 20) -> list[float]:
        """What parts of a processor the programs use while nothing happens."""
        meters = [Meter(pid) for pid in pids]
        time.sleep(seconds)
        return [usage.cpu / usage.wall for usage in (meter.stop() for meter in meters)]

    def _edit(self, path: Path, sender: int) -> float:
        """Writes a line on one device and waits until the other one has it."""
        time.sleep(self.generator.uniform(0.05, 0.5))
        line = f"edit {self.generator.getrandbits(64):016x}\n".encode()
        target = self.devices[1 - sender].folder / path
        started = time.monotonic()
        with (self.devices[sender].folder / path).open("ab", buffering=0) as file:
            file.write(line)
        while not target.read_bytes().endswith(line):
            if time.monotonic() - started > 60:
                raise RuntimeError(f"{path} was not on the other device within 60 s")
            time.sleep(0.001)
        return time.monotonic() - started
