"""Devices that commit small files, bring large blocks and read them back, each over one kept connection."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drill_journal import ROOT
from messages import (
    MEDIA, Reader, block, change, committed, content, file_state, listed, new_folder, number, upload,
)  # fmt: skip
from thin import ThinClient

SMALL, LARGE = 1000, 1 << 20
# Random bytes; a few of its own at the front make a block that nobody has.
REST = os.urandom(LARGE - 16)

Endpoint = tuple[str, int]


@dataclass
class Done:
    """What a stretch of load has done."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)


class Device:
    """A device of an account; used by one thread."""

    def __init__(self, client: ThinClient) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {client.token}", **MEDIA}
        self.folder, self.count = os.urandom(16), 0
        # The first bytes of the blocks that it brought and has not read back yet, by their names.
        self.brought: dict[bytes, bytes] = {}
        self._connection: http.client.HTTPConnection | None = None

    def connect(self, endpoint: Endpoint) -> None:
        """Keeps a connection to a process from now on."""
        self.close()
        self._connection = http.client.HTTPConnection(*endpoint, timeout=120)

    def close(self) -> None:
        """Ends the connection."""
        if self._connection:
            self._connection.close()
        self._connection = None

    # What it does, each one request

    def make_folder(self) -> None:
        """The folder of the next commits."""
        self.folder = os.urandom(16)
        name = f"folder {self.folder.hex()}".encode()
        self._upload(upload(os.urandom(16), [new_folder(self.folder, ROOT, name)]))

    def commit(self) -> None:
        """A new small file, whose only block rides in the announcement."""
        self.count += 1
        payload = os.urandom(SMALL)
        state = file_state(content(payload), self.folder, b"file %d" % self.count, time.time_ns())
        self._upload(upload(os.urandom(16), [change(os.urandom(16), 0, state)], [block(payload)]))

    def _upload(self, body: bytes) -> None:
        committed(self._post(f"/v1/namespaces/{self.client.namespace}/uploads", body))

    def bring(self) -> None:
        """A large block that nobody has."""
        start = os.urandom(16)
        stored = block(start + REST)
        answer = self._post("/v1/blocks", listed([stored]))
        if answer != number(1) + b"\0":
            raise RuntimeError(f"the block was not new: {answer[:80].hex()}")
        self.brought[stored[:32]] = start

    def read(self) -> None:
        """One of the blocks that it brought, compared byte for byte."""
        name, start = self.brought.popitem()
        reader = Reader(self._post("/v1/blocks/fetch", listed([name])))
        found = (reader.number(), reader.take(32), reader.take(1), reader.number())
        if found != (1, name, b"\0", LARGE) or reader.sized() != start + REST:
            raise RuntimeError(f"the block {name.hex()} does not read back as it was")

    def _post(self, path: str, body: bytes) -> bytes:
        assert self._connection, "it is not connected"
        self._connection.request("POST", path, body, self.headers)
        answer = self._connection.getresponse()
        found = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"POST {path}: {answer.status} {found[:300].decode(errors='replace')}")
        return found


class Stretch:
    """All devices at once do one thing, until the time is over or each has done its part."""

    def __init__(self, devices: Sequence[Device], seconds: float, most: Callable[[Device], int]) -> None:
        self.devices, self.seconds, self.most = devices, seconds, most
        self.failures: list[str] = []
        self.done = Done()
        self._lock = threading.Lock()

    def run(
        self, prepare: Callable[[Device], object], act: Callable[[Device], object], begin: Callable[[], object]
    ) -> Done:
        """Prepares all devices, calls `begin`, and lets them go; fails as the first of them does."""
        gates = [threading.Barrier(len(self.devices) + 1) for _ in range(2)]

        def guarded(device: Device) -> None:
            try:
                prepare(device)
                for gate in gates:
                    gate.wait()
                self._work(device, act)
            except threading.BrokenBarrierError:
                pass
            except (RuntimeError, ValueError, OSError, http.client.HTTPException) as error:
                self.failures.append(f"{device.client.namespace}: {error}")
                for gate in gates:
                    gate.abort()

        threads = [threading.Thread(target=guarded, args=[device], daemon=True) for device in self.devices]
        for thread in threads:
            thread.start()
        try:
            gates[0].wait()
            begin()
            gates[1].wait()
        except threading.BrokenBarrierError:
            pass
        for thread in threads:
            thread.join()
        if self.failures:
            raise RuntimeError("; ".join(self.failures[:3]))
        return self.done

    def _work(self, device: Device, act: Callable[[Device], object]) -> None:
        times: list[float] = []
        most = self.most(device)
        started = now = time.perf_counter()
        while now - started < self.seconds and len(times) < most:
            before = now
            act(device)
            now = time.perf_counter()
            times.append(now - before)
        with self._lock:
            self.done.times += times
            self.done.seconds = max(self.done.seconds, now - started)
