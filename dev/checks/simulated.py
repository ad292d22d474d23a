"""Histories of a store that keeps its promises: made from a seed, without a server. The checkers have to accept them, and
to refuse them once something was planted."""

from __future__ import annotations

import hashlib
import random
import struct
from dataclasses import dataclass, field

from drill_history import NEVER, OK, REFUSED, UNKNOWN, History, Operation

NAMESPACE = "0a" * 16
FOLDERS = ("cell-0", "cell-1", "move-0")


@dataclass
class Row:
    """A row of the table of nodes."""

    node: bytes
    start: int
    end: int | None
    parent: bytes
    name: bytes
    kind: int
    content: bytes | None


@dataclass
class Simulation:
    """Some devices that each do one thing after the other, and a store that does each thing at one moment in between."""

    seed: int
    operations: int = 40
    devices: int = 4
    lost_answers: float = 0.06
    history: History = field(default_factory=History)
    journal: list[list] = field(default_factory=list)
    nodes: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.files: dict[tuple[str, str], Row] = {}
        self.folders: dict[str, Row] = {}
        at = 0.0
        for cell in FOLDERS:
            begin, moment, end = self._times(at)
            self._do("folder", cell, 0, begin, moment, end)
            at = end
        free = [at] * self.devices
        plans = []
        for _ in range(self.operations):
            device = self.random.randrange(self.devices)
            plans.append(self._draw(device, free[device]))
            free[device] = plans[-1][2]
        # The store does them in the order of these moments, whatever their beginnings and ends are.
        for begin, moment, end, device, kind, cell in sorted(plans, key=lambda plan: plan[1]):
            self._do(kind, cell, device, begin, moment, end)
        self.end = max(free) + 1

    def rows(self, question: str) -> list[tuple]:
        """Answers the two questions that the checkers ask of a database."""
        if "FROM journal" in question:
            return [tuple(row) for row in self.journal]
        return [(r.node, r.start, r.end, r.parent, r.name, r.kind, r.content) for r in self.nodes]

    def device(self, number: int) -> str:
        """The id of a device."""
        return f"{number + 1:02x}" * 16

    def _times(self, earliest: float) -> tuple[float, float, float]:
        begin = earliest + self.random.random() * 0.2
        moment = begin + self.random.random() * self.random.choice([0.05, 1])
        return begin, moment, moment + self.random.random() * self.random.choice([0.05, 1])

    def _draw(self, device: int, earliest: float) -> tuple[float, float, float, int, str, str]:
        begin, moment, end = self._times(earliest)
        cell = self.random.choice(FOLDERS)
        kinds = ["put", "get", "get", "list", "changes"] + (["move"] if cell.startswith("move") else ["delete"])
        return begin, moment, end, device, self.random.choice(kinds), cell

    # The store

    @property
    def head(self) -> int:
        """The newest revision."""
        return len(self.journal)

    def _commit(self, device: str, upload: str) -> int:
        revision = self.head + 1
        previous = self.journal[-1][1] if self.journal else bytes(32)
        fields = (bytes.fromhex(device), bytes.fromhex(upload), revision * 1000, 1, self.random.randbytes(32))
        record = struct.pack(">B16s32sQ16s16sqI32s", 1, bytes.fromhex(NAMESPACE), previous, revision, *fields)
        self.journal.append([revision, hashlib.sha256(record).digest(), *fields])
        return revision

    def _do(self, kind: str, cell: str, device: int, begin: float, moment: float, end: float) -> None:
        operation = Operation(kind, self.device(device), NAMESPACE, begin)
        self.history.operations.append(operation)
        lost = self.random.random() < self.lost_answers and kind != "folder"
        if lost and kind == "put" and self.random.random() < 0.5:
            # The request itself was lost.
            operation.cell, operation.slot, operation.value = cell, "a", self.random.randbytes(32).hex()
            return
        getattr(self, f"_{kind}")(operation, cell)
        if lost:
            operation.outcome, operation.revision, operation.hash = UNKNOWN, 0, ""
            operation.entries = None
            if kind == "get":
                operation.value = None
        else:
            operation.returned = end
        assert operation.returned in (end, NEVER)

    def _state(self, node: bytes, revision: int, parent: bytes, name: str, kind: int, content: bytes | None) -> Row:
        row = Row(node, revision, None, parent, name.encode(), kind, content)
        self.nodes.append(row)
        return row

    def _folder(self, operation: Operation, cell: str) -> None:
        operation.revision, operation.outcome = self._commit(operation.device, self.random.randbytes(16).hex()), OK
        self.folders[cell] = self._state(self.random.randbytes(16), operation.revision, bytes(16), cell, 0, None)

    def _put(self, operation: Operation, cell: str) -> None:
        operation.cell, operation.slot = cell, self.random.choice("ab")
        content = self.random.randbytes(32)
        operation.value = content.hex()
        found = self.files.get((cell, operation.slot))
        operation.expected = self.random.choice(["", "", "present", "absent", found.content.hex() if found else "00"])
        wanted = {"": True, "present": bool(found), "absent": not found}.get(operation.expected, bool(found))
        if not wanted:
            operation.outcome = REFUSED
            return
        operation.upload = self.random.randbytes(16).hex()
        operation.revision, operation.outcome = self._commit(operation.device, operation.upload), OK
        operation.hash = self.journal[-1][1].hex()
        if found:
            found.end = operation.revision
        node = found.node if found else self.random.randbytes(16)
        self.files[cell, operation.slot] = self._state(
            node, operation.revision, self.folders[cell].node, operation.slot, 1, content
        )

    def _get(self, operation: Operation, cell: str) -> None:
        operation.cell, operation.slot, operation.outcome = cell, self.random.choice("ab"), OK
        if found := self.files.get((cell, operation.slot)):
            operation.value, operation.revision = (found.content or b"").hex(), found.start

    def _delete(self, operation: Operation, cell: str) -> None:
        operation.cell, operation.slot = cell, self.random.choice("ab")
        found = self.files.pop((cell, operation.slot), None)
        if not found:
            operation.outcome = REFUSED
            return
        operation.revision, operation.outcome = self._commit(operation.device, self.random.randbytes(16).hex()), OK
        found.end = operation.revision

    def _move(self, operation: Operation, cell: str) -> None:
        operation.cell = cell
        operation.slot, operation.target = self.random.choice(["ab", "ba"])
        found = self.files.get((cell, operation.slot))
        if not found or (cell, operation.target) in self.files:
            operation.outcome = REFUSED
            return
        del self.files[cell, operation.slot]
        operation.revision, operation.outcome = self._commit(operation.device, self.random.randbytes(16).hex()), OK
        found.end = operation.revision
        self.files[cell, operation.target] = self._state(
            found.node, operation.revision, found.parent, operation.target, 1, found.content
        )

    def _list(self, operation: Operation, cell: str) -> None:
        operation.outcome, operation.revision, operation.slot = OK, self.head, f"/{cell}"
        operation.entries = [
            (slot, (row.content or b"").hex()) for (folder, slot), row in self.files.items() if folder == cell
        ]

    def _changes(self, operation: Operation, cell: str) -> None:
        del cell
        operation.outcome, operation.revision = OK, self.head
        operation.hash = self.journal[-1][1].hex()
        first = operation.cursor = self.random.randrange(self.head + 1)
        alive = {row.node: (row.content or b"").hex() for row in self.nodes if row.end is None}
        before = {row.node for row in self.nodes if row.start <= first and (row.end is None or row.end > first)}
        touched = {row.node for row in self.nodes if row.start > first or (row.end or 0) > first}
        operation.entries = [(node.hex(), alive.get(node, "-")) for node in touched if node in alive or node in before]
