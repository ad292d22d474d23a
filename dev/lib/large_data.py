"""Few large files of different kinds, and the same after an edit as their programs would make it."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import tarfile
import zipfile
from pathlib import Path
from typing import BinaryIO

from dataset import MIB, real_files, sentence, words

PAGE = 4096


def make_large(target: Path, scale: float = 1.0, seed: int = 1) -> int:
    """Makes a database, an archive of sources, a disk image, a log, JSON and a zip; returns their bytes."""
    target.mkdir(parents=True, exist_ok=True)
    generator = random.Random(seed)
    vocabulary = words()
    make_database(target / "database.sqlite", int(203 * MIB * scale), vocabulary, generator)
    make_archive(target / "sources.tar", int(187 * MIB * scale))
    make_image(target / "disk.img", int(500 * MIB * scale), generator)
    with (target / "service.log").open("wb") as log:
        append_log(log, int(105 * MIB * scale), vocabulary, generator)
    make_json(target / "records.json", int(63 * MIB * scale), vocabulary, generator)
    make_zip(target / "document.zip", int(22 * MIB * scale))
    return sum(path.stat().st_size for path in target.iterdir())


def edit_large(target: Path, scale: float = 1.0, seed: int = 2) -> None:
    """Edits each file as its program would."""
    generator = random.Random(seed)
    vocabulary = words()
    with sqlite3.connect(target / "database.sqlite") as database:
        top = database.execute("SELECT max(id) FROM message").fetchone()[0]
        for _ in range(int(2000 * scale) + 1):
            body = sentence(vocabulary, generator, 40)
            database.execute("UPDATE message SET body = ? WHERE id = ?", (body, generator.randrange(1, top + 1)))
        insert_rows(database, int(500 * scale) + 1, vocabulary, generator)
    database.close()
    edit_archive(target / "sources.tar", int(60 * scale) + 2, generator)
    with (target / "disk.img").open("r+b") as image:
        size = image.seek(0, os.SEEK_END)
        for _ in range(int(200 * scale) + 1):
            image.seek(generator.randrange(size // PAGE) * PAGE)
            image.write(sentence(vocabulary, generator, 2000).encode()[:PAGE])
    with (target / "service.log").open("ab") as log:
        append_log(log, int(MIB * scale) + 1, vocabulary, generator)
    records = target / "records.json"
    text = records.read_bytes()
    records.write_bytes(b'[\n{"id": -1, "text": "at the front"},\n' + text[2:])
    edit_zip(target / "document.zip", generator)


def make_database(path: Path, size: int, vocabulary: list[bytes], generator: random.Random) -> None:
    """A SQLite database with an index, up to about a size."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, sender TEXT, sent INTEGER, body TEXT)")
        database.execute("CREATE INDEX by_sender ON message (sender, sent)")
        while True:
            insert_rows(database, 5000, vocabulary, generator)
            database.commit()
            if path.stat().st_size >= size:
                break
    database.close()


def insert_rows(database: sqlite3.Connection, count: int, vocabulary: list[bytes], generator: random.Random) -> None:
    """Rows such as a mail program keeps."""
    rows = (
        (
            sentence(vocabulary, generator, 2),
            generator.randrange(10**9),
            sentence(vocabulary, generator, generator.randrange(20, 120)),
        )
        for _ in range(count)
    )
    database.executemany("INSERT INTO message (sender, sent, body) VALUES (?, ?, ?)", rows)


def make_archive(path: Path, size: int) -> None:
    """A tar of real sources and documents, up to a size."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for file in real_files(1, MIB):
            if archive.offset >= size:
                break
            archive.add(file, recursive=False)


def edit_archive(path: Path, count: int, generator: random.Random) -> None:
    """Changes some bytes here, and inserts some lines there."""
    data = bytearray(path.read_bytes())
    for number in range(count):
        place = generator.randrange(len(data))
        if number % 3 == 0:
            data[place:place] = b"// inserted line %d\n" % number * generator.randrange(1, 20)
        else:
            data[place : place + 12] = b"edited %05d" % number
    path.write_bytes(data)


def make_image(path: Path, size: int, generator: random.Random) -> None:
    """Files laid out as a file system does it: each from a page's start, with gaps of zeros."""
    with path.open("wb") as image:
        for file in real_files(20_000, 200 * MIB):
            if image.tell() >= size:
                break
            with file.open("rb") as source:
                shutil.copyfileobj(source, image, MIB)
            image.seek(-image.tell() % PAGE + generator.randrange(8) * PAGE, os.SEEK_CUR)
        image.truncate(size)


def append_log(log: BinaryIO, least: int, vocabulary: list[bytes], generator: random.Random) -> None:
    """Lines of a service's log."""
    written, moment = 0, 1_700_000_000_000
    while written < least:
        lines = []
        for _ in range(2000):
            moment += generator.randrange(40)
            who = f"{generator.randrange(256)}.{generator.randrange(256)}.0.{generator.randrange(256)}"
            what = sentence(vocabulary, generator, 6)
            lines.append(
                f"{moment} INFO request={generator.getrandbits(64):x} from={who} {what} ms={generator.randrange(900)}"
            )
        text = ("\n".join(lines) + "\n").encode()[: least - written]
        written += log.write(text)


def make_json(path: Path, size: int, vocabulary: list[bytes], generator: random.Random) -> None:
    """A list of records, one on each line."""
    with path.open("w") as file:
        file.write("[\n")
        number = 0
        while file.tell() < size:
            record = {
                "id": number,
                "key": f"{generator.getrandbits(64):x}",
                "text": sentence(vocabulary, generator, 20),
            }
            file.write(json.dumps(record) + ",\n")
            number += 1
        file.write("null]\n")


def make_zip(path: Path, size: int) -> None:
    """An archive as office programs write it: many deflated members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in real_files(30_000, 8 * MIB):
            if archive.fp is None or archive.fp.tell() >= size:
                break
            archive.writestr(str(file.relative_to("/")), file.read_bytes())


def edit_zip(path: Path, generator: random.Random) -> None:
    """Writes the archive again with a few members changed, as saving a document does."""
    changed = path.with_suffix(".new")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        edited = set(generator.sample(names, max(1, len(names) // 50)))
        for name in names:
            data = old.read(name)
            new.writestr(
                name, data[: len(data) // 2] + b" edited " + data[len(data) // 2 :] if name in edited else data
            )
    changed.replace(path)
