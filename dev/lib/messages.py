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


def file_state(content: bytes, parent: bytes, name: bytes, modified: int) -> bytes:
    """The state of a file: a content as `content` makes it, and the time in nanoseconds."""
    return b"\1" + content + parent + sized(name) + number(0o644) + modified.to_bytes(8, "big")


def content(payload: bytes) -> bytes:
    """The content of a file that is one block."""
    return b"\0" + hashlib.sha256(payload).digest() + number(len(payload))


def change(node: bytes, base: int, state: bytes) -> bytes:
    """A new state of a node that is at a revision; 0 for one that is new."""
    return sized(node + number(base) + state)


REMOVED = b"\xff"


def upload(identifier: bytes, changes: list[bytes], blocks: list[bytes] | None = None) -> bytes:
    """A complete upload request without pages."""
    return identifier + b"\1" + listed(blocks or []) + listed([]) + listed([]) + listed(changes)


def committed(outcome: bytes) -> int:
    """The revision that an upload has become; raises when it was refused, or waits."""
    if not outcome or outcome[0] != 0:
        raise RuntimeError(f"the upload was not committed: {outcome[:80].hex()}")
    value = shift = 0
    for byte in outcome[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value
