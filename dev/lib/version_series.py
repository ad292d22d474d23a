"""A file that is edited at random, version after version: the same bytes for the same machine, size and seed."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from dataset import MIB, real_files, words
from large_data import append_log, make_archive, make_image

# How many edits a version has besides one, on average, and how long they are: powers of two, drawn evenly.
MORE_EDITS = 8
OVERWRITTEN = (4, 14)
INSERTED = (6, 15)


class VersionSeries:
    """The newest version in memory, with the SHA-256 of every version before it.

    The first one is real data: an archive of this machine's sources and documents, an image of a disk with its
    libraries, or a log. Each further version has 1 and, on average, 8 more edits (exponentially distributed), each at a
    place that is drawn evenly from the whole file:

    - half of them write over 16 B to 16 KiB,
    - a quarter inserts 64 B to 32 KiB,
    - a quarter removes 64 B to 32 KiB,

    where the length is a power of two with an exponent that is drawn evenly, so that short edits are as frequent as
    long ones. What is written comes from other real files of this machine: it can be compressed as the rest.
    """

    def __init__(self, folder: Path, base: str, size: int, seed: int) -> None:
        self.generator = random.Random(seed)
        self.data = bytearray(self._base(folder, base, size))
        self.fresh = b"".join(path.read_bytes() for path in self._others())
        self.digests = [hashlib.sha256(self.data).hexdigest()]

    def _base(self, folder: Path, base: str, size: int) -> bytes:
        path = folder / "base"
        match base:
            case "archive":
                make_archive(path, size)
            case "image":
                make_image(path, size, self.generator)
            case _:
                with path.open("wb") as log:
                    append_log(log, size, words(), self.generator)
        data = path.read_bytes()[:size]
        path.unlink()
        return data

    def _others(self) -> list[Path]:
        """Some megabytes of files, in an order of chance."""
        found = list(real_files(10_000, 200_000))
        self.generator.shuffle(found)
        size = 0
        for count, path in enumerate(found):
            size += path.stat().st_size
            if size > 16 * MIB:
                return found[:count]
        return found

    def advance(self) -> None:
        """Makes the next version."""
        for _ in range(1 + int(self.generator.expovariate(1 / MORE_EDITS))):
            self._edit()
        self.digests.append(hashlib.sha256(self.data).hexdigest())

    def _edit(self) -> None:
        kind = self.generator.choices(["overwrite", "insert", "remove"], [2, 1, 1])[0]
        length = int(2 ** self.generator.uniform(*(OVERWRITTEN if kind == "overwrite" else INSERTED)))
        length = min(length, len(self.data) // 2)
        place = self.generator.randrange(len(self.data) - length)
        end = place if kind == "insert" else place + length
        self.data[place:end] = b"" if kind == "remove" else self._piece(length)

    def _piece(self, length: int) -> bytes:
        start = self.generator.randrange(len(self.fresh) - length)
        return self.fresh[start : start + length]

    def write(self, path: Path) -> None:
        """Writes the newest version where the former one is."""
        with path.open("wb") as file:
            file.write(self.data)
