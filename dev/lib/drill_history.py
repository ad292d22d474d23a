"""What the devices of a drill did and were told: one record for each operation, and one for each attempt at it."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

# Nobody was told what became of it.
NEVER = math.inf

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


@dataclass
class Operation:
    """One operation of one device. Times are of the monotonic clock of this machine.

    `invoked` is before the first byte of the (last, for what only reads) request, `returned` after the last byte of the
    answer; it is NEVER when nobody knows what became of the operation.
    """

    kind: str
    device: str
    namespace: str
    invoked: float
    returned: float = NEVER
    outcome: str = UNKNOWN
    # What a register is concerned with: the group of paths, and the path in it.
    cell: str = ""
    slot: str = ""
    target: str = ""
    # The content that was written or that was found; None is that there is nothing.
    value: str | None = None
    # What the device demanded of the state before: ANY, or "present", "absent", or a content.
    expected: str = ""
    # The revision that the answer told, and the hash of its commit where that is told too.
    revision: int = 0
    hash: str = ""
    # The idempotency key.
    upload: str = ""
    # The cursor that a poll or a question for changes began at.
    cursor: int = 0
    # What a listing showed, or what changes told: a name or a node, and its content.
    entries: list[tuple[str, str]] | None = None

    def __str__(self) -> str:
        words = [self.kind, f"{self.cell}/{self.slot}" if self.cell else self.slot]
        words += [f"to {self.target}"] if self.target else []
        words += [f"if {self.expected[:12]}"] if self.expected else []
        words += [f"content {self.value[:12] if self.value else 'none'}"] if self.cell else []
        words += [f"revision {self.revision}"] if self.revision else []
        end = "never" if self.returned == NEVER else f"{self.returned:.4f}"
        return f"{' '.join(word for word in words if word)} by {self.device[:8]}: {self.outcome}, {self.invoked:.4f} to {end}"


@dataclass
class Attempt:
    """One request: when it began and ended, and why it failed; an answer that refuses is no failure."""

    device: str
    kind: str
    started: float
    ended: float
    failure: str = ""
    # How long the device waited afterwards.
    wait: float = 0


@dataclass
class History:
    """Everything that was done, by all threads."""

    operations: list[Operation] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    # Answers that no well-meaning device should get.
    surprises: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, kind: str, device: str, namespace: str) -> Operation:
        """Notes an operation before its request goes out, so that it is known even if nothing comes back."""
        operation = Operation(kind, device, namespace, time.monotonic())
        with self._lock:
            self.operations.append(operation)
        return operation

    def attempt(self, attempt: Attempt) -> None:
        """Notes a request that came to its end."""
        with self._lock:
            self.attempts.append(attempt)

    def surprise(self, what: str) -> None:
        """Notes an answer that should not be."""
        with self._lock:
            self.surprises.append(what)

    def namespaces(self) -> list[str]:
        """Every namespace that somebody used."""
        return sorted({operation.namespace for operation in self.operations})

    def of(self, namespace: str) -> list[Operation]:
        """The operations on a namespace, in the order of their beginnings."""
        found = [operation for operation in self.operations if operation.namespace == namespace]
        return sorted(found, key=lambda operation: operation.invoked)


@dataclass
class Verdict:
    """Whether one promise held: what was looked at, and what was found wrong."""

    name: str
    checked: int = 0
    problems: list[str] = field(default_factory=list)
    # What could not be decided: it is no proof, and so no success.
    undecided: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True only when something was looked at and nothing was wrong."""
        return self.checked > 0 and not self.problems and not self.undecided

    def __str__(self) -> str:
        if self.holds:
            return f"{self.name}: holds ({self.checked:,} checked)"
        found = [*self.problems, *self.undecided] or ["nothing was there to be checked"]
        return f"{self.name}: FAILS: {found[0]}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
