"""Decides whether a history of concurrent operations is linearizable.

The search is that of Wing and Gong ("Testing and verifying concurrent objects", Journal of Parallel and Distributed
Computing 17, 1993), with the memory of configurations that Lowe added ("Testing for linearizability", Concurrency and
Computation: Practice and Experience 29, 2017): a set of operations that already took effect, together with the state
that they lead to, is tried once. A history is cut into independent objects first, which is sound and complete since
linearizability is local (Herlihy and Wing, ACM TOPLAS 12, 1990; Horn and Kroening, "Faster linearizability checking via
P-compositionality", FORTE 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from drill_history import NEVER, OK, REFUSED, UNKNOWN, Operation

State = TypeVar("State", bound=Hashable)
# How many steps a search may take before it gives up.
STEPS = 3_000_000


@dataclass
class Search:
    """What a search found: `linearizable` is None when it gave up. `blocking` is the operation that no order explains."""

    linearizable: bool | None
    steps: int
    blocking: Operation | None = None


class _Entry:
    """The beginning or the end of an operation, in a list from which operations are taken out and put back."""

    __slots__ = ("bit", "end", "next", "operation", "previous")

    def __init__(self, operation: Operation, bit: int) -> None:
        self.operation, self.bit = operation, bit
        self.end: _Entry | None = None
        self.previous: _Entry | None = None
        self.next: _Entry | None = None


class Linearizer(Generic[State]):
    """Searches an order for operations on one object.

    `step` answers the state after an operation, or None when the operation can't have had its outcome in that state. An
    operation of unknown outcome takes effect at any time after its beginning, or never.
    """

    def __init__(self, initial: State, step: Callable[[State, Operation], State | None]) -> None:
        self.initial, self.step = initial, step

    def search(self, operations: Sequence[Operation], most: int = STEPS) -> Search:
        """Tries all orders that agree with real time; those that differ only in what is known already are one."""
        head, left = _entries(operations)
        state, taken = self.initial, 0
        known: set[tuple[int, State]] = set()
        stack: list[tuple[_Entry, State]] = []
        entry = head.next
        steps, fewest = 0, left + 1
        blocking: Operation | None = None
        while left:
            steps += 1
            if steps > most:
                return Search(None, steps, blocking)
            # Each operation that has an end finds it here before the list is over.
            assert entry
            if entry.bit:
                after = self.step(state, entry.operation)
                if entry.end is None and after == state:
                    # It had no effect here: that is the same as never.
                    after = None
                if after is not None and (taken | entry.bit, after) not in known:
                    known.add((taken | entry.bit, after))
                    stack.append((entry, state))
                    state, taken = after, taken | entry.bit
                    left -= entry.end is not None
                    _take(entry)
                    entry = head.next
                else:
                    entry = entry.next
                continue
            if left < fewest:
                fewest, blocking = left, entry.operation
            if not stack:
                return Search(False, steps, blocking)
            entry, state = stack.pop()
            taken &= ~entry.bit
            left += entry.end is not None
            _put_back(entry)
            entry = entry.next
        return Search(True, steps)


def _entries(operations: Sequence[Operation]) -> tuple[_Entry, int]:
    """The list of beginnings and ends in the order of time; at the same moment beginnings come first."""
    timed: list[tuple[float, int, _Entry]] = []
    left = 0
    for number, operation in enumerate(operations):
        begin = _Entry(operation, 1 << number)
        timed.append((operation.invoked, 0, begin))
        if operation.returned != NEVER:
            begin.end = _Entry(operation, 0)
            timed.append((operation.returned, 1, begin.end))
            left += 1
    timed.sort(key=lambda item: item[:2])
    head = last = _Entry(Operation("", "", "", 0), 0)
    for _, _, entry in timed:
        last.next, entry.previous = entry, last
        last = entry
    return head, left


def _take(entry: _Entry) -> None:
    for each in (entry, entry.end):
        if each:
            assert each.previous
            each.previous.next = each.next
            if each.next:
                each.next.previous = each.previous


def _put_back(entry: _Entry) -> None:
    # In the opposite order, so that the neighbours that each remembers are the right ones.
    for each in (entry.end, entry):
        if each:
            assert each.previous
            each.previous.next = each
            if each.next:
                each.next.previous = each


# The registers

# A cell is a few paths that renames may connect: what is at each of them, in the order of their names.
Cell = tuple[tuple[str, str], ...]


def step_of_cell(cell: Cell, operation: Operation) -> Cell | None:
    """What a whole-file operation does to a cell, or None when it can't have ended as it did."""
    files = dict(cell)
    found = files.get(operation.slot)
    if operation.kind == "get":
        return cell if found == operation.value else None
    if operation.kind in ("put", "upload"):
        allowed, after = _meets(found, operation.expected), files | {operation.slot: operation.value or ""}
    elif operation.kind == "delete":
        # The node goes that was found at the path. If it went by itself meanwhile, that is a success as well.
        allowed = _meets(found, operation.expected) or (operation.outcome == OK and found is None)
        after = {slot: value for slot, value in files.items() if slot != operation.slot}
        if operation.outcome == REFUSED and not operation.expected:
            allowed = found is not None
    elif operation.kind == "move":
        allowed = found is not None and operation.target not in files
        after = {slot: value for slot, value in files.items() if slot != operation.slot}
        after |= {operation.target: found or ""}
    else:
        raise ValueError(f"a cell knows no {operation.kind}")
    if operation.outcome == UNKNOWN:
        return _cell(after) if allowed else cell
    if (operation.outcome == OK) != allowed:
        return None
    return _cell(after) if allowed else cell


def _meets(found: str | None, expected: str) -> bool:
    if expected == "present":
        return found is not None
    if expected == "absent":
        return found is None
    return not expected or found == expected


def _cell(files: dict[str, str]) -> Cell:
    return tuple(sorted(files.items()))


def search_cell(operations: Sequence[Operation], initial: Cell = (), most: int = STEPS) -> Search:
    """Decides for one cell."""
    return Linearizer[Cell](initial, step_of_cell).search(operations, most)
