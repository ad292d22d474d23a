"""How long requests failed after something was harmed, by the devices' own notes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from drill_history import Attempt


@dataclass
class Recovery:
    """Seconds until requests of a kind succeed again and go on to do so: 0 when none failed, None when they did not."""

    harmed: float | None
    mended: float | None

    def __str__(self) -> str:
        if self.harmed is None:
            return "not while harmed" + ("" if self.mended is None else f", {self.mended:.1f} s after")
        return f"{self.harmed:.1f} s" + (f", then {self.mended:.1f} s" if self.mended else "")


def again(attempts: Iterable[Attempt], start: float, end: float) -> float | None:
    """Seconds from `start` to the first success that began after the last failure, of those that began before `end`."""
    within = [each for each in attempts if start <= each.started < end]
    last = max((each.started for each in within if each.failure), default=None)
    if last is None:
        return 0.0
    return min((each.ended - start for each in within if not each.failure and each.started > last), default=None)


def _since(moment: float, attempts: list[Attempt]) -> list[Attempt]:
    """Those that were under way at a moment, as if they had begun then, and those that began later."""
    return [replace(each, started=max(each.started, moment)) for each in attempts if each.ended > moment]


def recovery(attempts: list[Attempt], kind: str, harmed: float, mended: float, end: float) -> Recovery:
    """Looks at the time in which something was harmed, and at the time after it was brought back."""
    chosen = [each for each in attempts if each.kind == kind]
    # Who waits for an answer when the part comes back was not served while it was away. When that request fails, nobody knows
    # which of the two it was; others were served, and so it counts among those of the return.
    while_harmed = [each for each in chosen if each.ended <= mended]
    first = again(_since(harmed, while_harmed), harmed, mended)
    served = any(harmed <= each.started and not each.failure for each in while_harmed)
    if first is not None and served:
        return Recovery(first, again(_since(mended, chosen), mended, end))
    last = max((each.started for each in chosen if each.failure and each.started < end), default=0.0)
    ends = [each.ended - mended for each in chosen if not each.failure and each.ended >= mended and each.started > last]
    return Recovery(None, min(ends, default=None))


def failures(attempts: list[Attempt], start: float, end: float) -> tuple[int, int]:
    """How many requests failed of how many that were under way in a stretch of time."""
    within = [each for each in attempts if each.ended >= start and each.started < end]
    return sum(bool(each.failure) for each in within), len(within)


class Heartbeat:
    """Notices when this machine, or the drill itself, stood still: then what seems late may not be."""

    def __init__(self, every: float = 0.2) -> None:
        self.longest = 0.0
        self._every, self._before = every, time.monotonic()
        self._ends = threading.Event()

    def start(self) -> None:
        """Beats from now on."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Ends it."""
        self._ends.set()

    def beat(self, now: float) -> None:
        """Notes by how much a beat is late."""
        self.longest = max(self.longest, now - self._before - self._every)
        self._before = now

    def _run(self) -> None:
        while not self._ends.wait(self._every):
            self.beat(time.monotonic())
