"""`fsck --full` beside `sha256sum` of the same packs: all on one processor, all from the page cache, in turn."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import dataset
import large_data
from bench_peers import Cairn
from figures import Figures, count
from measure import Usage, run

# `sha256sum` is what the target names. Where it does not use the processor's own instructions, openssl does.
PROGRAMS = {"sha256sum": ["sha256sum"], "openssl sha256": ["openssl", "dgst", "-sha256"]}
MIXED_SETS = 2
TREES = 2_000_000_000
RANDOM_BYTES = 2 << 30
# Of the packs; the rest is the frames around the records.
LEAST_READ = 0.97


class FsckBench:
    """Two servers: one with mixed real data, which zstd has made smaller, one with bytes that stay as they are."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.folder, self.programs, self.figures = folder, programs, figures
        self.scale, self.say = scale, say
        # The last one, since the system prefers the first for its own work.
        self.processor = str(max(os.sched_getaffinity(0)))

    def run(self, runs: int, only: str = "") -> None:
        """Fills both servers, stops them, and lets the two programs read in turn."""
        for name, make in (("mixed", self._make_mixed), ("random", self._make_random)):
            if only not in name:
                continue
            place = self.folder / name
            source = place / "source"
            source.mkdir(parents=True)
            make(source)
            data = self._store(place, source)
            shutil.rmtree(source)
            for number in range(runs):
                self._round(f"{name} data", data, number)
            shutil.rmtree(place)

    def _make_mixed(self, source: Path) -> None:
        for number in range(MIXED_SETS):
            large_data.make_large(source / f"large-{number}", self.scale, seed=number)
        dataset.copy_real_trees(source / "trees", 10**6, int(TREES * self.scale))

    def _make_random(self, source: Path) -> None:
        dataset.make_random(source / "random", int(RANDOM_BYTES * self.scale))

    def _store(self, place: Path, source: Path) -> Path:
        """The data directory of a stopped server that has it all."""
        cairn = Cairn(place / "cairn", self.programs)
        try:
            cairn.device("one", source).sync()
            cairn.server.stop()
        finally:
            cairn.close()
        os.sync()
        return cairn.server.data

    def _round(self, what: str, data: Path, number: int) -> None:
        """Once each, the first in turn; what they read is in the page cache."""
        packs = sorted((data / "packs").rglob("*.pack"))
        size = sum(pack.stat().st_size for pack in packs)
        for pack in packs:
            with pack.open("rb") as file:
                while file.read(1 << 20):
                    pass
        found: dict[str, Usage] = {}
        names = ["fsck", "fsck --full", *PROGRAMS]
        first = number % len(names)
        for name in names[first:] + names[:first]:
            found[name] = self._sum(name, packs) if name in PROGRAMS else self._fsck(data, name, size)
        self._note(f"{what}, {count(size)} of packs", found, size)

    def _note(self, column: str, found: dict[str, Usage], size: int) -> None:
        full = found["fsck --full"]
        for name, usage in found.items():
            self.figures.add(f"{name}, wall", column, usage.wall, "s")
            self.figures.add(f"{name}, processor", column, usage.cpu, "s")
            if name != "fsck":
                self.figures.add(f"{name}, bytes of packs in a second", column, usage_rate(usage, size), "MB/s")
            if name in PROGRAMS:
                self.figures.add(f"fsck --full by {name}, speed", column, usage.wall / full.wall, "x")
                self.figures.add(f"fsck --full by {name}, bytes by processor second", column, usage.cpu / full.cpu, "x")
        self.figures.add("memory of fsck --full", column, full.memory, "B")
        self.say(f"{column}: " + ", ".join(f"{name} {usage.wall:.2f} s" for name, usage in sorted(found.items())))

    def _fsck(self, data: Path, name: str, size: int) -> Usage:
        """It has to find everything whole, and with `--full` to have read all of it."""
        program: list[str | Path] = [self.programs / "cairn-server", *name.split()]
        finished = run(["taskset", "-c", self.processor, *program, "--data", data, "--json"])
        verified = json.loads(finished.output.splitlines()[-1])["summary"]["verified_bytes"]
        if name == "fsck --full" and verified < LEAST_READ * size:
            raise RuntimeError(f"{name} has read {verified} bytes of {size}")
        return finished.usage

    def _sum(self, name: str, packs: list[Path]) -> Usage:
        return run(["taskset", "-c", self.processor, *PROGRAMS[name], *packs]).usage


def usage_rate(usage: Usage, size: int) -> float:
    """Megabytes in a second of wall time."""
    return round(size / usage.wall / 1e6)
