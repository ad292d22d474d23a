"""The few binary messages that the drills send by hand, written from docs/protocol.md."""

from __future__ import annotations

import hashlib

MEDIA = {"Content-Type": "application/vnd.cairn.v1"}


def number(value: int) -> bytes:
    """Seven bits a byte, least significant first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def sized(data: bytes) -> bytes:
    """Bytes with their count in front; a record looks the same."""
    return number(len(data)) + data


def listed(elements: list[bytes]) -> bytes:
    """Elements with their count in front."""
    return number(len(elements)) + b"".join(elements)


def block(payload: bytes, digest: bytes | None = None, length: int | None = None) -> bytes:
    """A stored block, by default under its right name and length."""
    name = digest if digest is not None else hashlib.sha256(payload).digest()
    return name + b"\0" + number(len(payload) if length is None else length) + sized(payload)


def new_folder(node: bytes, parent: bytes, name: bytes) -> bytes:
    """The change that makes a folder."""
    state = b"\0" + parent + sized(name) + number(0o755) + (1_700_000_000 * 10**9).to_bytes(8, "big")
    return sized(node + number(0) + state)


def upload(identifier: bytes, changes: list[bytes]) -> bytes:
    """A complete upload request without blocks and pages."""
    return identifier + b"\1" + listed([]) + listed([]) + listed([]) + listed(changes)
