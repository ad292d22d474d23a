"""Who polls: the devices as the load client's table has them, and the tokens that they show."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from thin import ThinClient

DEVICES = 3
SEAT = struct.Struct("<16s16s16sQ")


@dataclass
class Seat:
    """A device that polls for one namespace."""

    account: bytes
    device: bytes
    namespace: bytes
    revision: int = 0

    def packed(self) -> bytes:
        """The line of the table."""
        return SEAT.pack(self.account, self.device, self.namespace, self.revision)


@dataclass
class Group:
    """The devices of one account that poll, as lines of the table, and where there is a server one more that writes."""

    name: str
    first: int
    seats: list[Seat]
    author: ThinClient | None = None

    @property
    def namespace(self) -> bytes:
        """What all of them follow."""
        return self.seats[0].namespace


@dataclass
class Crowd:
    """Everybody who polls."""

    table: Path
    polls: int
    groups: list[Group]
    key: bytes
    key_version: int

    def token(self, seat: Seat, expires: int) -> str:
        """A poll token, as the server and the load client make it."""
        signed = b"\1" + self.key_version.to_bytes(4, "big") + seat.account + seat.device
        signed += expires.to_bytes(8, "big") + b"\1" + seat.namespace
        signature = hmac.digest(self.key, signed, hashlib.sha256)
        return "cairnpoll_" + base64.urlsafe_b64encode(signed + signature).rstrip(b"=").decode()


def write_table(path: Path, seats: Iterable[bytes]) -> None:
    """Writes the devices, packed, as the client reads them."""
    with path.open("wb") as file:
        file.writelines(seats)


def strangers(folder: Path, polls: int, known: int) -> Crowd:
    """A crowd that no server knows; some of its groups, evenly among the others, are told by name."""
    crowd = Crowd(folder / "strangers", polls, [], os.urandom(32), 1)
    chosen = set(places(polls, known))
    seats: list[Seat] = []
    for first in range(0, polls, DEVICES):
        account, namespace = os.urandom(16), os.urandom(16)
        group = [Seat(account, os.urandom(16), namespace) for _ in range(min(DEVICES, polls - first))]
        if first in chosen:
            crowd.groups.append(Group(f"stranger {first}", first, group))
        seats += group
    write_table(crowd.table, (seat.packed() for seat in seats))
    return crowd


def places(polls: int, known: int) -> list[int]:
    """The first lines of so many groups, evenly spread, so that they are not all in one worker of the load client."""
    groups = max(1, polls // DEVICES)
    known = min(known, groups)
    return [number * groups // known * DEVICES for number in range(known)]


def problem_of_token(token: str, crowd: Crowd, group: Group) -> str:
    """Takes a server's poll token apart; says what is not as the load client makes it, or nothing."""
    prefix, digits = token[:10], token[10:]
    try:
        raw = base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        return f"the poll token is not of base 64: {token}"
    signed, signature = raw[:-32], raw[-32:]
    if prefix != "cairnpoll_" or raw[:5] != b"\1" + crowd.key_version.to_bytes(4, "big"):
        return f"the poll token is of another form: {token}"
    if not hmac.compare_digest(hmac.digest(crowd.key, signed, hashlib.sha256), signature):
        return "the poll token is signed by another key"
    listed = [signed[at : at + 16] for at in range(46, len(signed), 16)]
    if signed[5:21] != group.seats[0].account or signed[45] != len(listed) or group.namespace not in listed:
        return "the poll token speaks of others"
    return ""
