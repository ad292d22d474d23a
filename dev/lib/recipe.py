"""The recipe of a content, made of its blocks by docs/format.md, chapter 3."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MOST_ENTRIES = 256
LEAST_ENTRIES = 4


@dataclass
class Recipe:
    """A content: its id of 33 bytes, its size, and its pages, children before parents."""

    content: bytes
    size: int
    pages: list[bytes]


def recipe(blocks: list[bytes]) -> Recipe:
    """Builds the tree of pages over some blocks, of which there is at least one."""
    size = sum(len(block) for block in blocks)
    entries = [(hashlib.sha256(block).digest(), len(block)) for block in blocks]
    pages: list[bytes] = []
    level = 0
    while len(entries) > 1 or level == 0 and len(entries) != 1:
        level += 1
        width = 4 if level == 1 else 8
        above: list[tuple[bytes, int]] = []
        for group in _groups(entries):
            page = b"CRP1" + bytes([level]) + len(group).to_bytes(2, "big")
            page += b"".join(digest + length.to_bytes(width, "big") for digest, length in group)
            pages.append(page)
            above.append((hashlib.sha256(page).digest(), sum(length for _, length in group)))
        entries = above
    return Recipe(bytes([level]) + entries[0][0], size, pages)


def _groups(entries: list[tuple[bytes, int]]) -> list[list[tuple[bytes, int]]]:
    groups: list[list[tuple[bytes, int]]] = [[]]
    for entry in entries:
        groups[-1].append(entry)
        ends = len(groups[-1]) >= LEAST_ENTRIES and entry[0][-1] & 0x3F == 0
        if ends or len(groups[-1]) == MOST_ENTRIES:
            groups.append([])
    return [group for group in groups if group]
