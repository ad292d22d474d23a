"""The load client of dev/load, as a process that takes commands and answers with JSON."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from measure import run

SOURCES = Path(__file__).resolve().parents[1] / "load"


def build(folder: Path) -> Path:
    """Compiles the client into a folder."""
    program = folder / "notify-load"
    options = ["-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-pthread"]
    run(["gcc", *options, "-o", program, *sorted(SOURCES.glob("*.c")), "-lcrypto"])
    return program


class NotifyLoad:
    """The running client."""

    def __init__(
        self,
        program: Path,
        table: Path,
        *,
        key: bytes = bytes(32),
        version: int = 1,
        nchan: bool = False,
        timeout: int = 3600,
        patience_ms: int = 4000,
        tables: int | None = None,
    ) -> None:
        words = [str(program), "-k", key.hex(), "-v", str(version), "-t", str(timeout), "-p", str(patience_ms)]
        if tables:
            words += ["-w", str(tables)]
        if nchan:
            words.append("-n")
        self.process = subprocess.Popen(
            [*words, str(table)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.started = self._answer()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self.process.pid

    def ask(self, *words: object) -> dict[str, Any]:
        """Sends one command and waits for its answer."""
        assert self.process.stdin
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def wake(
        self, first: int, count: int, within: float, address: tuple[str, int], request: bytes
    ) -> tuple[int, float, list[float | None]]:
        """Sends the request that moves a namespace.

        The answer is its status, the seconds until it was answered, and for each device the seconds until it had news:
        both from the sending on. None for a device that had none in time.
        """
        found = self.ask("wake", first, count, within, f"{address[0]}:{address[1]}", request.hex())
        times = [None if at is None else at / 1e9 for at in found["answers"]]
        return found["status"], found["acknowledged"] / 1e9, times

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load client ended with {self.process.wait()}")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise RuntimeError(f"the load client: {found['error']}")
        return found

    def close(self) -> None:
        """Ends it, and with it every poll."""
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()


def http_request(method: str, path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    """A request as bytes, over a connection that is kept."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def wait_until(holds: Callable[[], bool], within: float, pause: float = 0.02) -> bool:
    """Looks again and again; false when the time is over."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
