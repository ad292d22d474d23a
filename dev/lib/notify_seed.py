"""A data directory with very many accounts, a few of them real, and the table of their devices for the load client."""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from cairn import Server
from notify_crowd import DEVICES, Crowd, Group, Seat, places, write_table
from thin import ThinClient

PASSWORD = "a password for the polls"


def poll_key(keyring: Path) -> tuple[int, bytes]:
    """The version and the bytes of the key that signs poll tokens, derived as docs/protocol.md says."""
    lines = [line.split() for line in keyring.read_text().splitlines() if line.startswith("key ")]
    version, master = int(lines[-1][1]), bytes.fromhex(lines[-1][2])
    return version, hmac.digest(master, b"cairn poll token" + version.to_bytes(4, "big"), hashlib.sha256)


def gather(server: Server, folder: Path, polls: int, real: int) -> Crowd:
    """Makes the accounts and the table, some accounts real. The server is started for these; afterwards it is stopped."""
    server.start()
    found = [_real(server, number, first) for number, first in enumerate(places(polls, real))]
    server.stop()
    _read_heads(server.data / "cairn.db", found)
    crowd = Crowd(folder / "seats", polls, found, b"", 0)
    crowd.key_version, crowd.key = poll_key(server.data / "keyring")
    _seed(server.data / "cairn.db", crowd)
    return crowd


def _real(server: Server, number: int, first: int) -> Group:
    name = f"real-{number}"
    server.add_account(name, PASSWORD)
    account = _identifier(server.data / "cairn.db", name)
    seats = []
    for device in range(DEVICES):
        client = login(server, name, f"poller {device}")
        seats.append(Seat(account, bytes.fromhex(client.device), bytes.fromhex(client.namespace)))
    return Group(name, first, seats, login(server, name, "author"))


def login(server: Server, account: str, device: str) -> ThinClient:
    """Another device of an account."""
    client = ThinClient(server.endpoint)
    answer = client.login(account, PASSWORD, device)
    if answer.status != 200:
        raise RuntimeError(f"{account} could not log in: {answer.status} {answer.detail}")
    return client


def _identifier(database: Path, name: str) -> bytes:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        (identifier,) = connection.execute("SELECT id FROM account WHERE name = ?", (name,)).fetchone()
        return bytes(identifier)
    finally:
        connection.close()


def heads(database: Path, namespaces: list[bytes]) -> dict[bytes, int]:
    """The newest revision of each namespace, as the database has it."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        question = "SELECT revision FROM namespace WHERE id = ?"
        return {namespace: connection.execute(question, (namespace,)).fetchone()[0] for namespace in namespaces}
    finally:
        connection.close()


def _read_heads(database: Path, groups: list[Group]) -> None:
    found = heads(database, [group.namespace for group in groups])
    for group in groups:
        for seat in group.seats:
            seat.revision = found[group.namespace]


def _seed(database: Path, crowd: Crowd) -> None:
    """Fills the database with accounts that nobody can log in to, and writes the table."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        # Identifiers are random: the whole database has to lie in memory.
        connection.execute("PRAGMA cache_size = -1000000")
        connection.execute("BEGIN")
        write_table(crowd.table, _lines(connection, crowd))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _lines(connection: sqlite3.Connection, crowd: Crowd) -> Iterator[bytes]:
    real = {group.first: group for group in crowd.groups}
    created = time.time_ns()
    for first in range(0, crowd.polls, DEVICES):
        count = min(DEVICES, crowd.polls - first)
        seats = real[first].seats[:count] if first in real else _account(connection, first, count, created)
        yield from (seat.packed() for seat in seats)


def _account(connection: sqlite3.Connection, number: int, count: int, created: int) -> list[Seat]:
    account, namespace = os.urandom(16), os.urandom(16)
    connection.execute(
        "INSERT INTO account (id, name, password, master_key, wrapped_key, home, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (account, f"seeded-{number}", "!", 1, bytes(60), namespace, created),
    )
    connection.execute(
        "INSERT INTO namespace (id, owner, revision, hash, created) VALUES (?, ?, 0, ?, ?)",
        (namespace, account, bytes(32), created),
    )
    seats = [Seat(account, os.urandom(16), namespace) for _ in range(count)]
    connection.executemany(
        "INSERT INTO device (id, account, name, token_hash, created) VALUES (?, ?, ?, ?, ?)",
        [(seat.device, account, f"device {at}", os.urandom(32), created) for at, seat in enumerate(seats)],
    )
    return seats
