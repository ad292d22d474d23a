"""The checkers of a drill's history: what was read, in which order, and who was told."""

from __future__ import annotations

import bisect
from collections import defaultdict

from drill_history import NEVER, OK, REFUSED, UNKNOWN, Attempt, History, Operation, Verdict
from linearize import search_cell

# What tells which revision was the head.
OBSERVE_HEAD = ("list", "changes")
COMMIT = ("put", "delete", "move", "upload", "folder")


def check_order(history: History, revisions: dict[str, int] | None = None) -> Verdict:
    """The journal is an append-only log: commits append, and who reads the head sees how long it is.

    Revisions number the log, so there is only one order that can explain a history, and the check is complete: who began
    after another operation had ended never sees, or makes, an older revision; and nobody sees a revision before the commit
    that makes it has begun.
    """
    verdict = Verdict("order of revisions")
    for namespace in history.namespaces():
        operations = history.of(namespace)
        told = [each for each in operations if each.outcome == OK and each.kind in (*COMMIT, *OBSERVE_HEAD)]
        verdict.checked += len(told)
        _never_back(verdict, told)
        begun: dict[int, float] = {}
        for operation in operations:
            # A commit of unknown outcome whose revision the journal knows has begun by then as well.
            if operation.kind in COMMIT and operation.outcome in (OK, UNKNOWN) and operation.revision:
                begun[operation.revision] = min(begun.get(operation.revision, NEVER), operation.invoked)
        for operation in told:
            if operation.returned < begun.get(operation.revision, 0):
                verdict.problems.append(f"a revision was seen before its commit began: {operation}")
        if revisions and namespace in revisions:
            newest = max((each.revision for each in told), default=0)
            if newest > revisions[namespace]:
                verdict.problems.append(f"revision {newest} of {namespace[:8]} was told, the journal ends earlier")
    return verdict


def _never_back(verdict: Verdict, told: list[Operation]) -> None:
    """Compares each operation with the newest revision that was told before it began."""
    ends = sorted(told, key=lambda operation: operation.returned)
    newest: Operation | None = None
    at = 0
    for operation in sorted(told, key=lambda operation: operation.invoked):
        while at < len(ends) and ends[at].returned < operation.invoked:
            if newest is None or ends[at].revision > newest.revision:
                newest = ends[at]
            at += 1
        if newest is None:
            continue
        if operation.revision < newest.revision:
            verdict.problems.append(f"stale: {operation}; but before it began there was: {newest}")
        elif operation.revision == newest.revision and operation.kind in COMMIT and operation.kind != "delete":
            verdict.problems.append(f"a commit made a revision that was there before: {operation}; {newest}")


def check_devices(history: History) -> Verdict:
    """No device ever saw a revision of a namespace go backwards."""
    verdict = Verdict("no device saw time go back")
    seen: dict[tuple[str, str], Operation] = {}
    told = [each for each in history.operations if each.outcome == OK and each.revision and each.kind != "get"]
    for operation in sorted(told, key=lambda each: each.returned):
        key = (operation.device, operation.namespace)
        before = seen.get(key)
        verdict.checked += 1
        # A device does one thing after the other; a poll that lasted is compared when it ends.
        if before and operation.revision < before.revision and before.returned <= operation.invoked:
            verdict.problems.append(f"backwards: {operation}; the device had seen: {before}")
        if not before or operation.revision >= before.revision:
            seen[key] = operation
    return verdict


def check_cells(history: History) -> Verdict:
    """Each cell of paths is a linearizable set of registers."""
    verdict = Verdict("linearizable")
    cells: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in history.operations:
        if not operation.cell:
            continue
        if operation.outcome == UNKNOWN and operation.kind == "get":
            continue
        if operation.outcome == UNKNOWN and operation.kind in ("put", "upload") and not operation.revision:
            # It is not in the journal: it never took effect.
            continue
        cells[operation.namespace, operation.cell].append(operation)
    for (namespace, cell), operations in cells.items():
        found = search_cell(operations)
        verdict.checked += len(operations)
        if found.linearizable is None:
            verdict.undecided.append(f"{cell} of {namespace[:8]}: no answer after {found.steps:,} steps")
        elif not found.linearizable:
            near = "; ".join(map(str, _near(operations, found.blocking)))
            verdict.problems.append(f"{cell} of {namespace[:8]}: no order explains {found.blocking}; near it: {near}")
    return verdict


def _near(operations: list[Operation], blocking: Operation | None) -> list[Operation]:
    """The last writes to its path that were over or under way when the operation ended: what it should have seen."""
    if not blocking:
        return []
    writes = [
        each
        for each in operations
        if each is not blocking
        and each.kind in COMMIT
        and each.outcome != REFUSED
        and blocking.slot in (each.slot, each.target)
        and each.invoked < blocking.returned
    ]
    return sorted(writes, key=lambda each: each.invoked)[-3:]


def check_told(history: History, bound: float, until: float) -> Verdict:
    """Every poller hears of every acknowledged commit within a bound: its own failed requests and waits do not count."""
    verdict = Verdict("every poll told in time")
    pollers: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in history.operations:
        if operation.kind == "poll":
            pollers[operation.namespace, operation.device].append(operation)
    for (namespace, device), polls in pollers.items():
        started = min(poll.invoked for poll in polls)
        # A poll says that there is news; what it is, and perhaps more by then, is told by the changes.
        answered = sorted(
            (each.returned, each.revision)
            for each in history.of(namespace)
            if each.device == device and each.kind in ("poll", "changes") and each.outcome == OK and each.revision
        )
        known: list[tuple[float, int]] = []
        for at, revision in answered:
            if not known or revision > known[-1][1]:
                known.append((at, revision))
        trouble = [each for each in history.attempts if each.device == device and each.failure]
        for commit in history.of(namespace):
            if commit.kind not in COMMIT or commit.outcome != OK or commit.returned < started:
                continue
            if commit.revision <= min(poll.cursor for poll in polls):
                continue
            verdict.checked += 1
            at = bisect.bisect_left([revision for _, revision in known], commit.revision)
            heard = known[at][0] if at < len(known) else None
            late = _undisturbed(commit.returned, heard or until, trouble)
            if heard is None and until - commit.returned > bound or late > bound:
                when = "never" if heard is None else f"{late:.1f} s late"
                verdict.problems.append(f"told {when} to the poller {device[:8]}: {commit}")
    return verdict


def _undisturbed(start: float, end: float, trouble: list[Attempt]) -> float:
    """The length of a stretch of time without what a device spent on requests that failed, and on its waits after them."""
    total, at = max(0.0, end - start), start
    for attempt in sorted(trouble, key=lambda attempt: attempt.started):
        low, high = max(at, attempt.started), min(end, attempt.ended + attempt.wait)
        if high > low:
            total -= high - low
            at = high
    return total
