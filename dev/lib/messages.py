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


def new_state(node: bytes, base: int, parent: bytes, name: bytes, content: bytes, size: int) -> bytes:
    """The change that gives a node a file's content, of 33 bytes of level and digest; base 0 makes the node."""
    state = b"\1" + content + number(size) + parent + sized(name) + number(0o644)
    return sized(node + number(base) + state + (1_700_000_000 * 10**9).to_bytes(8, "big"))


def announcement(identifier: bytes, pages: list[bytes], changes: list[bytes]) -> bytes:
    """A complete upload request whose blocks come later."""
    return identifier + b"\1" + listed([]) + listed([sized(page) for page in pages]) + listed([]) + listed(changes)


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
