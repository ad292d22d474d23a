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


def upload(
    identifier: bytes, changes: list[bytes], blocks: list[bytes] | None = None, pages: list[bytes] | None = None
) -> bytes:
    """A complete upload request; blocks that are not in it come later."""
    return (
        identifier
        + b"\1"
        + listed(blocks or [])
        + listed([sized(page) for page in pages or []])
        + listed([])
        + listed(changes)
    )


def committed(outcome: bytes) -> int:
    """The revision that an upload has become; raises when it was refused, or waits."""
    found = Outcome(Reader(outcome))
    if found.kind != "committed":
        raise RuntimeError(f"the upload was not committed: {outcome[:80].hex()}")
    return found.revision


def new_state(node: bytes, base: int, parent: bytes, name: bytes, content: bytes, size: int) -> bytes:
    """The change that gives a node a file's content, of 33 bytes of level and digest; base 0 makes the node."""
    return change(node, base, file_state(content + number(size), parent, name, 1_700_000_000 * 10**9))


class Reader:
    """Reads the fields of a message, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, count: int) -> bytes:
        """So many bytes."""
        found = self.data[self.place : self.place + count]
        if len(found) != count:
            raise ValueError("the message is cut off")
        self.place += count
        return found

    def number(self) -> int:
        """A number of seven bits a byte."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def sized(self) -> bytes:
        """Bytes with their count in front."""
        return self.take(self.number())

    def digests(self) -> list[bytes]:
        """A list of digests."""
        return [self.take(32) for _ in range(self.number())]


class Outcome:
    """An upload outcome: committed with a revision and a hash, pending with what is missing, or refused."""

    def __init__(self, reader: Reader) -> None:
        self.kind = ("committed", "pending", "refused")[reader.take(1)[0]]
        self.revision, self.hash = 0, ""
        self.blocks: list[bytes] = []
        self.pages: list[bytes] = []
        if self.kind == "committed":
            self.revision, self.hash = reader.number(), reader.take(32).hex()
        elif self.kind == "pending":
            self.blocks, self.pages = reader.digests(), reader.digests()


def content_of_state(reader: Reader) -> str:
    """The digest of a file's state as hex digits, "" for what is no file, "-" for what is removed."""
    kind = reader.take(1)[0]
    if kind == 255:
        return "-"
    return reader.take(33)[1:].hex() if kind == 1 else ""
