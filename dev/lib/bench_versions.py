"""Very many versions of one file, kept by Cairn, restic and borg: what they store, and what each version costs."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from bench_peers import ACCOUNT, PASSWORD, Cairn
from cairn import Device
from figures import Figures, count
from measure import Usage, run
from peers import Borg, Restic
from thin import ThinClient
from version_series import VersionSeries

FILE = "file"
SIZE = 100_000_000
# How many versions are read back from Cairn, and from each peer, besides the first and the last.
READ_BACK, READ_BACK_AT_PEERS = 20, 3


class CairnVersions:
    """A server that gives nothing up, and a device whose folder is synced after each version."""

    name = Cairn.name

    def __init__(self, folder: Path, programs: Path, linked: Path) -> None:
        self.site = Cairn(folder, programs)
        self.server = self.site.server
        self._command("retention", "set", ACCOUNT, "keep-all")
        self.linked = linked
        self.device: Device = self.site.device("one", linked)
        self.client = ThinClient(self.server.endpoint)
        self.client.login(ACCOUNT, PASSWORD)
        self.revisions: list[int] = []

    def _command(self, *words: str) -> str:
        return run([self.server.programs / "cairn-server", *words, "--data", self.server.data]).output

    def store(self) -> tuple[Usage, Usage]:
        """Syncs what is there, and notes by which revision it can be read."""
        client, server = self.site.measured(self.device)
        answer = self.client.call("HEAD", f"/v1/files/{FILE}")
        self.revisions.append(int(answer.headers["x-cairn-revision"]))
        if len(self.revisions) > 1 and self.revisions[-1] == self.revisions[-2]:
            raise RuntimeError(f"version {len(self.revisions) - 1} did not come to the server")
        return client, server

    def digest(self, number: int) -> str:
        """The SHA-256 of a version, as the server answers it."""
        connection = http.client.HTTPConnection(*self.server.endpoint, timeout=60)
        try:
            path = f"/v1/files/{FILE}?at={self.revisions[number]}"
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.client.token}"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"version {number}: {answer.status} {answer.read().decode(errors='replace')}")
            return hashlib.file_digest(answer, "sha256").hexdigest()
        finally:
            connection.close()

    def compact(self) -> None:
        """Stops the server, and removes what nothing needs."""
        self.server.stop()
        self._command("collect", "--now")

    def check(self) -> None:
        """Reads all that is stored once more; raises when anything is damaged."""
        self._command("fsck", "--full")

    @property
    def packs(self) -> int:
        """Bytes of sealed blocks."""
        return size_of(self.server.data / "packs")

    @property
    def database(self) -> int:
        """Bytes of the database, its log and all."""
        return sum(path.stat().st_size for path in self.server.data.glob("cairn.db*"))

    @property
    def stored(self) -> int:
        """Bytes of the whole data directory."""
        return size_of(self.server.data)

    def close(self) -> None:
        """Ends the server."""
        self.site.close()


class VersionsBench:
    """One file, three programs that keep it, version by version."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.folder, self.figures, self.say = folder, figures, say
        self.source = folder / "source"
        self.source.mkdir()
        self.path = self.source / FILE
        self.size = int(SIZE * scale)
        self.ours = CairnVersions(folder / "cairn", programs, self.source)
        kinds = [kind for kind in (Restic, Borg) if shutil.which(kind.program)]
        self.peers = [kind(folder / kind.program) for kind in kinds]

    def run(self, versions: int, base: str, seed: int) -> None:
        """Stores every version with all, then compacts, reads back and compares."""
        series = VersionSeries(self.folder, base, self.size, seed)
        for number in range(versions):
            if number:
                series.advance()
            series.write(self.path)
            self._store(number)
            if number in (0, 1, 9, 99) or number % 250 == 249:
                self._progress(number + 1)
        self._note_stored("as written")
        self._read_back(series.digests, seed)
        for keeper in (self.ours, *self.peers):
            keeper.compact()
        self._note_stored("compacted")
        self.ours.check()

    def close(self) -> None:
        """Ends the server."""
        self.ours.close()

    def _store(self, number: int) -> None:
        """Each in turn is the first to read what was just written."""
        keepers = [self.ours, *self.peers]
        first = number % len(keepers)
        used: dict[str, Usage] = {}
        for keeper in keepers[first:] + keepers[:first]:
            os.sync()
            if isinstance(keeper, CairnVersions):
                client, server = keeper.store()
                used[keeper.name] = Usage(client.wall, client.cpu + server.cpu, max(client.memory, server.memory))
            else:
                used[keeper.name] = keeper.store(self.source)
        what = "a version" if number else "the first version"
        for name, usage in used.items():
            self.figures.add(f"{what}, wall", name, usage.wall, "s")
            self.figures.add(f"{what}, processor", name, usage.cpu, "s")
            self.figures.add(f"memory, {what}", name, usage.memory, "B")
            ours = used[CairnVersions.name]
            if number and name != CairnVersions.name:
                self.figures.add(f"{what}, Cairn's wall as a part of it", name, ours.wall / usage.wall, "x")
                self.figures.add(f"{what}, Cairn's processor as a part of it", name, ours.cpu / usage.cpu, "x")

    def _stored(self) -> dict[str, int]:
        return {self.ours.name: self.ours.stored} | {peer.name: size_of(peer.repository) for peer in self.peers}

    def _progress(self, versions: int) -> None:
        found = ", ".join(f"{name} {count(stored)}" for name, stored in self._stored().items())
        self.say(f"{versions} versions: {found}")

    def _note_stored(self, when: str) -> None:
        """Of Cairn all of the server's data, and what of it are packs and database."""
        found = self._stored()
        for name, stored in found.items():
            self.figures.add(f"stored, {when}", name, stored, "B")
            if name != self.ours.name:
                self.figures.add(f"stored, {when}, Cairn's as a part of it", name, found[self.ours.name] / stored, "x")
        self.figures.add(f"packs, {when}", self.ours.name, self.ours.packs, "B")
        self.figures.add(f"database, {when}", self.ours.name, self.ours.database, "B")
        if when == "as written":
            self.figures.add("state of the device", self.ours.name, size_of(self.ours.device.home), "B")

    def _read_back(self, digests: list[str], seed: int) -> None:
        """The first and the last version and some of those between, from each, against what was written."""
        generator = random.Random(seed)
        for keeper, some in ((self.ours, READ_BACK), *((peer, READ_BACK_AT_PEERS) for peer in self.peers)):
            numbers = {0, len(digests) - 1, *generator.sample(range(len(digests)), min(some, len(digests)))}
            for number in sorted(numbers):
                found = keeper.digest(number) if isinstance(keeper, CairnVersions) else keeper.digest(number, self.path)
                if found != digests[number]:
                    raise RuntimeError(f"{keeper.name}: version {number} is not what was written")
            self.say(f"{keeper.name}: {len(numbers)} versions read back whole")
            self.figures.add("versions read back whole", keeper.name, len(numbers), "x")


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(path.stat().st_size for path in files if path.is_file())
