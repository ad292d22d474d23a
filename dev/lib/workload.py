"""Random edits of a folder by a writer that knows what it wrote, and the evidence to look at in the end."""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


def names(generator: random.Random) -> str:
    """A name with letters, spaces and other scripts, never one that was drawn before in practice."""
    stem = generator.choice(["note", "draft 2", "Übung", "写真", "archive", ".hidden", "a'quote", "per%cent"])
    return f"{stem}-{generator.getrandbits(40):010x}"


def content(generator: random.Random) -> bytes:
    """Bytes of a random length: mostly small, now and then some megabytes, which are several blocks."""
    kind = generator.random()
    if kind < 0.05:
        return b""
    if kind < 0.85:
        return generator.randbytes(generator.randrange(1, 20_000))
    if kind < 0.97:
        return b"text of a larger file, line by line\n" * generator.randrange(1, 20_000)
    return generator.randbytes(generator.randrange(500_000, 4_000_000))


@dataclass
class OwnTree:
    """A subtree that one device alone edits. Every edit is made twice: in the linked folder and in a shadow outside it.

    Whatever sync does, the linked folder has to equal the shadow: an edit that came back, went missing, or was doubled
    as a conflict shows as a difference.
    """

    folder: Path
    shadow: Path
    generator: random.Random
    edits: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.shadow.mkdir(parents=True, exist_ok=True)

    def edit(self) -> None:
        """Makes one random edit."""
        choices: list[tuple[int, Callable[[], None]]] = [
            (30, self._create),
            (20, self._overwrite),
            (15, self._append),
            (8, self._remove),
            (10, self._rename_file),
            (6, self._make_folder),
            (4, self._rename_folder),
            (2, self._remove_folder),
            (3, self._link),
            (2, self._toggle_mode),
        ]
        action = self.generator.choices([act for _, act in choices], [weight for weight, _ in choices])[0]
        action()
        self.edits += 1

    def _both(self, relative: Path) -> tuple[Path, Path]:
        return self.folder / relative, self.shadow / relative

    def _files(self) -> list[Path]:
        found = (path for path in self.shadow.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(self.shadow) for path in found)

    def _folders(self) -> list[Path]:
        found = (path for path in self.shadow.rglob("*") if path.is_dir() and not path.is_symlink())
        return sorted(path.relative_to(self.shadow) for path in found)

    def _somewhere(self) -> Path:
        return self.generator.choice([Path("."), *self._folders()]) / names(self.generator)

    def _create(self) -> None:
        relative, data = self._somewhere(), content(self.generator)
        for path in self._both(relative):
            path.write_bytes(data)

    def _overwrite(self) -> None:
        if files := self._files():
            relative, data = self.generator.choice(files), content(self.generator)
            place = self.generator.random()
            for path in self._both(relative):
                with path.open("r+b") as file:
                    file.seek(int(place * file.seek(0, os.SEEK_END)))
                    file.write(data)

    def _append(self) -> None:
        if files := self._files():
            relative, data = self.generator.choice(files), content(self.generator)[:10_000]
            for path in self._both(relative):
                with path.open("ab") as file:
                    file.write(data)

    def _remove(self) -> None:
        if files := self._files():
            relative = self.generator.choice(files)
            for path in self._both(relative):
                path.unlink()

    def _rename_file(self) -> None:
        if files := self._files():
            old, new = self.generator.choice(files), self._somewhere()
            for base in (self.folder, self.shadow):
                (base / old).rename(base / new)

    def _make_folder(self) -> None:
        relative = self._somewhere()
        for path in self._both(relative):
            path.mkdir()

    def _rename_folder(self) -> None:
        if folders := self._folders():
            old, new = self.generator.choice(folders), Path(names(self.generator))
            for base in (self.folder, self.shadow):
                (base / old).rename(base / new)

    def _remove_folder(self) -> None:
        if len(folders := self._folders()) > 6:
            relative = self.generator.choice(folders)
            for path in self._both(relative):
                shutil.rmtree(path)

    def _link(self) -> None:
        relative, target = self._somewhere(), names(self.generator)
        for path in self._both(relative):
            path.symlink_to(target)

    def _toggle_mode(self) -> None:
        if files := self._files():
            relative = self.generator.choice(files)
            mode = 0o755 if self.generator.random() < 0.5 else 0o644
            for path in self._both(relative):
                path.chmod(mode)


@dataclass
class Tokens:
    """Lines that two devices add to the same few files. Each line is unique and is never taken away again.

    A line counts as acknowledged when it was on the device's disk before a sync that reported to be in sync. From then
    on it has to be somewhere: in the file, or in a conflicted copy of it.
    """

    folder: Path
    device: str
    generator: random.Random
    written: int = 0
    acknowledged: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def edit(self) -> None:
        """Adds a line to one of the shared files, which is made when it is missing."""
        self.written += 1
        line = f"token-{self.device}-{self.written}\n"
        with (self.folder / f"shared-{self.generator.randrange(4)}.txt").open("ab", buffering=0) as file:
            file.write(line.encode())

    def visible(self) -> set[str]:
        """Every token that is on this device's disk."""
        found: set[str] = set()
        for path in self.folder.iterdir():
            try:
                text = path.read_text(errors="replace") if path.is_file() else ""
            except FileNotFoundError:
                # Sync has renamed it since the folder was read.
                continue
            found.update(word for word in text.split() if word.startswith("token-"))
        return found

    def acknowledge(self, tokens: set[str]) -> None:
        """Notes what a successful sync has made safe."""
        with self.lock:
            self.acknowledged |= {token for token in tokens if token.startswith(f"token-{self.device}-")}
