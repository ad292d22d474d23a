"""Looks at the journals in a server's database, by docs/format-journal.md and with nothing of the server's own code."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import struct
from pathlib import Path


def problems_of_journals(database: Path) -> tuple[int, list[str]]:
    """How many commits there are in all, and what is wrong: gaps, hashes that do not bind the past, double names."""
    problems: list[str] = []
    commits = 0
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        namespaces = [row[0] for row in connection.execute("SELECT id FROM namespace")]
        for namespace in namespaces:
            rows = connection.execute(
                "SELECT revision, hash, device, upload, time, changes, digest FROM journal WHERE namespace = ?"
                " ORDER BY revision",
                (namespace,),
            ).fetchall()
            commits += len(rows)
            problems += problems_of_chain(namespace, rows)
            problems += _problems_of_tree(connection, namespace, len(rows))
    return commits, problems


def problems_of_chain(namespace: bytes, rows: list[tuple]) -> list[str]:
    """What is wrong with the rows (revision, hash, device, upload, time, changes, digest) of a journal, in their order."""
    problems: list[str] = []
    previous = bytes(32)
    for wanted, (revision, digest, device, upload, time, changes, canonical) in enumerate(rows, 1):
        if revision != wanted:
            problems.append(f"the journal of {namespace.hex()} has revision {revision} where {wanted} should be")
            break
        record = struct.pack(
            ">B16s32sQ16s16sqI32s", 1, namespace, previous, revision, device, upload, time, changes, canonical
        )
        if hashlib.sha256(record).digest() != digest:
            problems.append(f"the hash of revision {revision} of {namespace.hex()} does not bind its past")
        previous = digest
    return problems


def _problems_of_tree(connection: sqlite3.Connection, namespace: bytes, head: int) -> list[str]:
    found = connection.execute("SELECT max(valid_from) FROM node WHERE namespace = ?", (namespace,)).fetchone()[0]
    problems = [f"nodes of {namespace.hex()} are newer than its journal"] if (found or 0) > head else []
    doubles = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM node WHERE namespace = ? AND valid_to IS NULL"
        " GROUP BY parent, name HAVING count(*) > 1)",
        (namespace,),
    ).fetchone()[0]
    return problems + ([f"{doubles} names are there twice in {namespace.hex()}"] if doubles else [])
