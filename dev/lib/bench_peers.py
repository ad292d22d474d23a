"""Throughput beside restic, borg, rsync and Syncthing, on the same data in the same run, in turn."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import dataset
import large_data
from cairn import Device, Server, difference, ended
from figures import Figures
from measure import Meter, Usage
from peers import Borg, Restic, RsyncDaemon, syncthing_to_other_side

ACCOUNT, PASSWORD = "bench", "a password for the bench"


class Cairn:
    """A fresh server and one device, with what both of them use counted together."""

    name = "Cairn"

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.server = Server(folder / "server", programs)
        folder.mkdir(parents=True)
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)

    def device(self, name: str, linked: Path) -> Device:
        """A device that is logged in."""
        device = Device(name, self.folder / f"home-{name}", self.programs, linked)
        linked.mkdir(exist_ok=True)
        device.login(self.server.url, ACCOUNT, PASSWORD)
        return device

    def measured(self, device: Device) -> tuple[Usage, Usage]:
        """One sync: what the client used, and what the server used meanwhile."""
        meter = Meter(self.server.pid)
        client = device.sync().usage
        return client, meter.stop()

    def close(self) -> None:
        """Ends the server."""
        self.server.kill()


class PeersBench:
    """Rows and columns: what is done, and by whom."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.folder, self.programs, self.figures = folder, programs, figures
        self.scale, self.say = scale, say
        self.peers = [peer for peer in (Restic, Borg, RsyncDaemon) if shutil.which(peer.program)]
        self.files = 0
        self.ours: dict[str, Usage] = {}

    def run(self, runs: int, only: str = "") -> None:
        """All rows, `runs` times; within a run the programs follow each other on the same data."""
        mixed, small = self.folder / "mixed", self.folder / "small"
        if only in "mixed":
            large_data.make_large(mixed, self.scale)
        if only in "small" or only in "together":
            self.files = dataset.make_small(small, self.scale)[0]
        for number in range(runs):
            for name, source in (("mixed", mixed), ("small", small)):
                if source.exists() and only in name:
                    self._one_side(name, source, number)
            if small.exists() and only in "together":
                self._both_sides(small, number)

    def _note(self, what: str, who: str, usage: Usage, server: Usage | None = None) -> None:
        together = Usage(usage.wall, usage.cpu + (server.cpu if server else 0))
        row = f"{what}: {who}"
        self.figures.add(row, "wall", together.wall, "s")
        self.figures.add(row, "processor", together.cpu, "s")
        self.figures.add(row, "memory", usage.memory, "B")
        if server:
            self.figures.add(row, "memory of the server", server.memory, "B")
            self.ours[what] = together
        elif what in self.ours:
            # Within one run: what slows this machine down for a while slows both.
            self.figures.add(row, "Cairn's wall as a part of it", self.ours[what].wall / max(together.wall, 0.001), "x")
            self.figures.add(
                row, "Cairn's processor as a part of it", self.ours[what].cpu / max(together.cpu, 0.001), "x"
            )
        peak = f"{usage.memory / 1e6:.0f}" + (f" and {server.memory / 1e6:.0f}" if server else "")
        self.say(f"{row}: {together.wall:.2f} s wall, {together.cpu:.2f} s processor, {peak} MB")

    # One device to the server

    def _one_side(self, name: str, source: Path, number: int) -> None:
        """First upload, then the same again with nothing changed."""
        place = self.folder / f"{name}-{number}"
        what = {"mixed": "first upload, mixed large files", "small": f"first upload, {self.files} small files"}[name]
        same = f"nothing changed, {name}"
        self._settle_disk(source)
        cairn = Cairn(place / "cairn", self.programs)
        try:
            device = cairn.device("one", source)
            self._note(what, cairn.name, *cairn.measured(device))
            # A file that was written just before it was read has to be read once more: its times can't tell.
            device.sync()
            self._note(same, cairn.name, *cairn.measured(device))
        finally:
            cairn.close()
        for kind in self.peers:
            self._settle_disk(source)
            peer = kind(place / kind.program)
            try:
                self._note(what, kind.name, peer.store(source))
                self._note(same, kind.name, peer.store(source))
            finally:
                peer.close()
        shutil.rmtree(place)

    # To the other side

    def _both_sides(self, source: Path, number: int) -> None:
        row = f"{self.files} small files, both devices together, first to last"
        place = self.folder / f"together-{number}"
        self._settle_disk(source)
        cairn = Cairn(place / "cairn", self.programs)
        try:
            self._note(row, cairn.name, *self._cairn_to_other_side(cairn, source))
        finally:
            cairn.close()
        if shutil.which("rsync"):
            self._settle_disk(source)
            daemon = RsyncDaemon(place / "rsync")
            try:
                self._note(row, daemon.name, daemon.store(source))
            finally:
                daemon.close()
        if shutil.which("syncthing"):
            self._settle_disk(source)
            self._note(row, "Syncthing", syncthing_to_other_side(place / "syncthing", source, self.files))
            shutil.rmtree(source / ".stfolder", ignore_errors=True)
        shutil.rmtree(place)

    def _cairn_to_other_side(self, cairn: Cairn, source: Path) -> tuple[Usage, Usage]:
        """The other device watches while the first one syncs; the end is when it has the last file."""
        one, two = cairn.device("one", source), cairn.device("two", cairn.folder / "two")
        two.sync()
        with ended(two.start("watch", "--quiet")) as watcher:
            time.sleep(1)
            receiver, server = Meter(watcher.pid), Meter(cairn.server.pid)
            started = time.monotonic()
            sender = one.sync().usage
            while count_files(two.folder) < self.files:
                if time.monotonic() - started > 600:
                    raise RuntimeError("the other device does not get everything within 600 s")
                time.sleep(0.05)
            wall = time.monotonic() - started
            received = receiver.stop()
            usage = Usage(wall, sender.cpu + received.cpu, max(sender.memory, received.memory))
            measured = usage, server.stop()
        two.sync()
        if found := difference(source, two.folder):
            raise RuntimeError(f"the devices differ: {found[:1000]}")
        return measured

    @staticmethod
    def _settle_disk(source: Path) -> None:
        """Everything starts alike: what was written before is on the disk, what will be read is in memory."""
        os.sync()
        for folder, _, names in os.walk(source):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    while file.read(1 << 20):
                        pass


def count_files(folder: Path) -> int:
    """Regular files below a folder, but for those that a client is just building."""
    return sum(len(names) for place, _, names in os.walk(folder) if ".cairn-" not in place)
