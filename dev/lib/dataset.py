"""Real data to measure with, made from what a development machine has: headers, libraries, documents, sources.

The same machine and the same seed give the same bytes. Everything takes a `scale`: 1 is the size that the documents
speak of,
0.01 is enough to try a script.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

MIB = 1 << 20


def toolchain() -> Path | None:
    """The folder of the Swift toolchain, where `swift` is in the search path."""
    swift = shutil.which("swift")
    return Path(swift).resolve().parents[1] if swift else None


def roots() -> list[Path]:
    """Folders with many real files, on Debian and its relatives."""
    candidates = [Path("/usr/include"), Path("/usr/share/doc"), Path("/usr/lib/python3"), Path(os.__file__).parent]
    candidates += [Path("/usr/share/perl"), Path("/usr/share")]
    if chain := toolchain():
        candidates.append(chain / "lib" / "swift")
    return [folder for folder in candidates if folder.is_dir()]


def real_files(least: int, most: int) -> Iterator[Path]:
    """Regular files of a range of sizes below the roots, each once, in an order that does not change."""
    seen: set[tuple[int, int]] = set()
    for root in roots():
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                try:
                    status = path.lstat()
                except OSError:
                    continue
                is_plain = (status.st_mode & 0o170000) == 0o100000
                if is_plain and least <= status.st_size <= most and (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    yield path


def words() -> list[bytes]:
    """Words of real text, with their real frequencies."""
    text = b"".join(path.read_bytes() for path in list(real_files(2_000, 60_000))[:300])
    found = [word for word in text.split() if 2 <= len(word) <= 12 and word.isalpha()]
    return found[:200_000]


def copy_real_trees(target: Path, files: int, budget: int) -> int:
    """Copies documents, headers and libraries of this machine, links and all; returns how many entries."""
    sources = [Path("/usr/share/doc"), Path("/usr/include")]
    if chain := toolchain():
        sources += [chain / "include", chain / "lib" / "clang", chain / "lib" / "swift" / "linux"]
    count = 0
    for source in sources:
        for folder, folders, names in os.walk(source):
            folders.sort()
            for name in sorted([*names, *(name for name in folders if Path(folder, name).is_symlink())]):
                path = Path(folder, name)
                length = path.lstat().st_size
                if count == files or length > budget or not (path.is_symlink() or os.access(path, os.R_OK)):
                    continue
                copy = target / source.name / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy, follow_symlinks=False)
                count, budget = count + 1, budget - length
    return count


# Many small files


def sentence(vocabulary: list[bytes], generator: random.Random, count: int) -> str:
    """Some words in a row."""
    start = generator.randrange(len(vocabulary) - count) if count < len(vocabulary) else 0
    return b" ".join(vocabulary[start : start + count]).decode(errors="replace")


def make_notes(target: Path, count: int, seed: int = 1) -> None:
    """Writes texts of some hundred words, a hundred in each folder, none of them like another."""
    generator = random.Random(seed)
    vocabulary = words()
    for number in range(count):
        folder = target / f"{number // 100:03}"
        folder.mkdir(parents=True, exist_ok=True)
        text = sentence(vocabulary, generator, generator.randrange(20, 400))
        (folder / f"note {number:05}.txt").write_text(f"number {number}\n{text}\n")


def make_small(target: Path, scale: float = 1.0) -> tuple[int, int]:
    """Copies files of at most 64 KiB, 20,000 of them with about 6 KB each; returns their number and bytes."""
    wanted, budget = int(20_000 * scale), int(116e6 * scale)
    count = size = 0
    for path in real_files(1, 64 * 1024):
        if count == wanted:
            break
        length = path.stat().st_size
        # What is left of the budget is kept for the files still to come, 200 bytes each at the least.
        if size + length > budget - 200 * (wanted - count):
            continue
        copy = target / path.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        count += 1
        size += length
    return count, size


def edit_small(target: Path, seed: int = 1) -> None:
    """Edits what one does in an afternoon: one file in 200 gets a line, one in 1,000 goes, one in 500 is new."""
    generator = random.Random(seed)
    files = sorted(path for path in target.rglob("*") if path.is_file())
    for path in generator.sample(files, max(1, len(files) // 200)):
        with path.open("ab") as file:
            file.write(b"one more line, number %d\n" % generator.randrange(10**9))
    for path in generator.sample(files, max(1, len(files) // 1000)):
        path.unlink()
    for number in range(max(1, len(files) // 500)):
        source = generator.choice(files)
        if source.exists():
            (source.parent / f"new-{number}.txt").write_bytes(source.read_bytes()[::-1])


# One file that no compressor makes smaller


def make_random(path: Path, size: int, seed: int = 1) -> None:
    """A file of pseudo-random bytes."""
    generator = random.Random(seed)
    with path.open("wb") as file:
        while size > 0:
            size -= file.write(generator.randbytes(min(size, 8 * MIB)))


def copy_tree(source: Path, target: Path) -> None:
    """A copy with links and times as they are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--", str(source), str(target)], check=True)
