"""What collection and compaction take from uploads while they run without a pause, and how little they leave over."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench_peers import ACCOUNT, PASSWORD
from cairn import Server
from collection_load import Done, Load
from figures import Figures
from measure import Meter, Usage, run
from notify_load import percentile

DEVICES = 4
# Of each device, at full scale.
SMALL, LARGE = 2000, 6
PACK_SIZE = 64 << 20
# Nothing but the present version and the first one stays.
POLICY = {"base": "keep-all", "ladder": [{"keep": "all", "for": "1s"}], "collapse": None, "min_age": "1s"}
POLICY |= {"keep_deleted": "1s"}
# Everything may go at once, a run follows the other, and compaction copies as fast as it does by default.
COLLECTING = ["--collect-interval", "1s", "--safety-window", "2s", "--pack-window", "1s"]
THINNING_PAUSE = 5.0
# A server that runs takes nothing that was thinned less than ten minutes ago, whatever its options: clocks may differ.
# No run is to last that long, so versions are made to look as if they had been thinned by so much earlier.
EARLIER = 900 * 10**9
# How long the stored bytes have to stay the same, and how long that may take.
RESTED, REST = 8.0, 600.0


@dataclass
class Arm:
    """One way to run the server."""

    name: str
    options: list[str]
    thins: bool


ARMS = [
    Arm("nothing is collected", ["--collect-interval", "0"], False),
    Arm("versions are thinned", ["--collect-interval", "0"], True),
    Arm("and collected", COLLECTING, True),
]


class CollectionBench:
    """The same load on a fresh server of each kind, in turn."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.folder, self.programs, self.figures, self.say = folder, programs, figures, say
        self.small, self.large = max(20, int(SMALL * scale)), max(1, int(LARGE * scale))
        self.pack_size = max(1 << 20, min(PACK_SIZE, int(PACK_SIZE * scale)))

    def run(self, runs: int, steps: int) -> None:
        """Rounds of all kinds; each round begins with another one."""
        for number in range(runs):
            first = number % len(ARMS)
            found = {arm.name: self._arm(arm, number, steps) for arm in ARMS[first:] + ARMS[:first]}
            for arm in ARMS[1:]:
                for base in ARMS[: ARMS.index(arm)]:
                    # The work is the same: what is lost is in the time.
                    row = f"throughput as a part of '{base.name}'"
                    self.figures.add(row, arm.name, found[base.name].seconds / found[arm.name].seconds, "x")

    def _arm(self, arm: Arm, number: int, steps: int) -> Done:
        place = self.folder / f"{number}-{ARMS.index(arm)}"
        place.mkdir()
        options = [*arm.options, "--no-scrub", "--pack-size", str(self.pack_size)]
        server = Server(place / "server", self.programs, options=options)
        try:
            done = ArmRun(self, server, arm, number).run(steps)
        finally:
            server.kill()
        shutil.rmtree(place)
        return done


class ArmRun:
    """One server from its start to its end."""

    def __init__(self, bench: CollectionBench, server: Server, arm: Arm, seed: int) -> None:
        self.bench, self.server, self.arm = bench, server, arm
        self.load = Load(DEVICES, seed)
        self.ended = threading.Event()

    def run(self, steps: int) -> Done:
        """Fills it, measures the load, and looks at what is left over."""
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        policy = self.server.data.parent / "policy.json"
        policy.write_text(json.dumps(POLICY))
        self._command("retention", "set", ACCOUNT, str(policy))
        self.load.begin(self.server, ACCOUNT, PASSWORD, self.bench.small, self.bench.large)
        with self._thinning():
            # Until there is something to collect, a start is not like the rest.
            self.load.work(steps // 4)
            before = self._metrics()
            meter = Meter(self.server.pid)
            done = self.load.work(steps)
            usage = meter.stop()
            after = self._metrics()
        self._note(done, usage, {name: after[name] - before.get(name, 0) for name in after})
        if self.arm.options == COLLECTING:
            self._rest()
        files = self.load.verify()
        self.server.stop()
        self._command("fsck", "--full")
        self.bench.say(f"{self.arm.name}: {files} files read back whole, fsck is clean")
        return done

    def _command(self, *words: str) -> str:
        return run([self.server.programs / "cairn-server", *words, "--data", self.server.data]).output

    @contextmanager
    def _thinning(self) -> Iterator[None]:
        """Gives up versions every few seconds."""
        thread = threading.Thread(target=self._thin, daemon=True)
        if self.arm.thins:
            thread.start()
        try:
            yield
        finally:
            self.ended.set()
            if self.arm.thins:
                thread.join()

    def _thin(self) -> None:
        while not self.ended.wait(THINNING_PAUSE):
            self._thin_once()

    def _thin_once(self) -> None:
        """Gives up versions, and dates that back."""
        self._command("retention", "apply")
        connection = sqlite3.connect(self.server.data / "cairn.db", timeout=60, isolation_level=None)
        try:
            latest = time.time_ns() - EARLIER
            connection.execute("UPDATE node SET thinned = thinned - ? WHERE thinned > ?", (EARLIER, latest))
        finally:
            connection.close()

    def _metrics(self) -> dict[str, float]:
        """The counts of the collection."""
        text = self.server.get("/metrics")[1]
        found = re.findall(r"^cairn_collection_(\w+)(?:\{[^}]*\})? ([0-9.e+]+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def _note(self, done: Done, usage: Usage, moved: dict[str, float]) -> None:
        name = self.arm.name
        self._add("requests in a second", round(done.requests / done.seconds, 1), "/s")
        self._add("bytes in a second", round(done.bytes / done.seconds / 1e6, 2), "MB/s")
        self._add("a small file, p50", round(percentile(done.times, 0.5) * 1000, 2), "ms")
        self._add("a small file, p99", round(percentile(done.times, 0.99) * 1000, 2), "ms")
        self._add("processor of the server by request", round(usage.cpu / done.requests * 1000, 3), "ms")
        self._add("memory of the server", usage.memory, "B")
        if self.arm.options == COLLECTING:
            if not moved.get("swept_total") or not moved.get("copied_bytes_total"):
                raise RuntimeError(f"nothing was collected and compacted while it was measured: {moved}")
            self._add("blocks and pages removed meanwhile", moved["swept_total"], "of them")
            self._add("bytes copied by compaction meanwhile", moved["copied_bytes_total"], "B")
            self._add("bytes of packs removed meanwhile", moved["freed_bytes_total"], "B")
        self.bench.say(
            f"{name}: {done.requests / done.seconds:.0f} requests/s, {done.bytes / done.seconds / 1e6:.1f} MB/s"
        )

    def _add(self, row: str, value: float, unit: str) -> None:
        self.bench.figures.add(row, self.arm.name, value, unit)

    def _rest(self) -> None:
        """Waits until nothing goes any more; what is stored then is compared with what is needed."""
        time.sleep(2)
        self._thin_once()
        started = changed = time.monotonic()
        stored = self._stored()
        while time.monotonic() - changed < RESTED:
            if time.monotonic() - started > REST:
                raise RuntimeError(f"collection does not come to rest within {REST:.0f} s")
            time.sleep(0.5)
            if (now := self._stored()) != stored:
                stored, changed = now, time.monotonic()
        needed = int(json.loads(self._command("usage", ACCOUNT, "--json"))["sealed_bytes"])
        self._add("until collection rests", changed - started, "s")
        self._add("packs at rest", stored, "B")
        self._add("packs at rest by what is needed", stored / needed, "x")
        self.bench.say(
            f"{self.arm.name}: {stored / 1e6:.1f} MB stored at rest, {stored / needed:.3f} of what is needed"
        )

    def _stored(self) -> int:
        size = 0
        for pack in (self.server.data / "packs").rglob("*.pack"):
            try:
                size += pack.stat().st_size
            except FileNotFoundError:
                continue
        return size
