"""Devices that overwrite, remove and make files without a pause, each over one kept connection."""

from __future__ import annotations

import hashlib
import http.client
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cairn import Server
from dataset import MIB, real_files
from thin import ThinClient

# Of random letters zstd takes a quarter away, and no two blocks are alike.
LETTERS = bytes(65 + value % 64 for value in range(256))
LARGE = (4 * MIB, 20 * MIB)


@dataclass
class Done:
    """What a stretch of load has done."""

    seconds: float = 0.0
    requests: int = 0
    bytes: int = 0
    # Of each small file that was put.
    times: list[float] = field(default_factory=list)


class LoadDevice:
    """One device with files of its own: it knows what it has written to each."""

    def __init__(self, number: int, seed: int, texts: Sequence[bytes]) -> None:
        self.name = f"device-{number}"
        self.generator = random.Random(f"{seed} {number}")
        self.texts = texts
        self.written: dict[str, str] = {}
        self.small: list[str] = []
        self.large: list[str] = []
        self.count = 0
        self.done = Done()

    def connect(self, server: Server, account: str, password: str) -> None:
        """Logs in and makes its folder."""
        client = ThinClient(server.endpoint)
        if (answer := client.login(account, password, self.name)).status != 200:
            raise RuntimeError(f"the login was refused: {answer.status} {answer.detail}")
        self.headers = {"Authorization": f"Bearer {client.token}"}
        self.connection = http.client.HTTPConnection(*server.endpoint, timeout=120)
        self._ask("POST", f"/v1/folders/{self.name}", b"", 201)

    def fill(self, small: int, large: int) -> None:
        """Makes the files that it begins with."""
        for _ in range(small):
            self._make_small()
        for _ in range(large):
            self.large.append(f"/{self.name}/large-{len(self.large)}")
            self._put(self.large[-1], self._large())

    def work(self, steps: int) -> None:
        """Each hundredth step overwrites a large file; of the others nine in ten overwrite a small one, and one removes
        a small one and makes another."""
        self.done = Done()
        started = time.monotonic()
        for step in range(steps):
            if step % 100 == 99:
                self._put(self.generator.choice(self.large), self._large())
            elif self.generator.random() < 0.9:
                self._put_timed(self.generator.choice(self.small))
            else:
                self._remove_small()
                self._make_small()
        self.done.seconds = time.monotonic() - started

    def verify(self) -> None:
        """Every file has the bytes that were written last."""
        for path, digest in self.written.items():
            found = hashlib.sha256(self._ask("GET", f"/v1/files{path}", None, 200)).hexdigest()
            if found != digest:
                raise RuntimeError(f"{path} is not what was written last")

    def _make_small(self) -> None:
        self.count += 1
        self.small.append(f"/{self.name}/small-{self.count}")
        self._put_timed(self.small[-1])

    def _remove_small(self) -> None:
        at = self.generator.randrange(len(self.small))
        path, self.small[at] = self.small[at], self.small[-1]
        self.small.pop()
        self._ask("DELETE", f"/v1/files{path}", None, 204, 200)
        del self.written[path]

    def _put_timed(self, path: str) -> None:
        text = self.generator.choice(self.texts)
        started = time.perf_counter()
        self._put(path, b"%d of %s\n" % (self.generator.getrandbits(64), path.encode()) + text)
        self.done.times.append(time.perf_counter() - started)

    def _large(self) -> bytes:
        return self.generator.randbytes(self.generator.randrange(*LARGE)).translate(LETTERS)

    def _put(self, path: str, data: bytes) -> None:
        self._ask("PUT", f"/v1/files{path}", data, 200, 201)
        self.written[path] = hashlib.sha256(data).hexdigest()
        self.done.bytes += len(data)

    def _ask(self, method: str, path: str, body: bytes | None, *expected: int) -> bytes:
        self.connection.request(method, path, body, self.headers)
        answer = self.connection.getresponse()
        found = answer.read()
        if answer.status not in expected:
            raise RuntimeError(f"{method} {path}: {answer.status} {found[:300].decode(errors='replace')}")
        self.done.requests += 1
        return found


class Load:
    """All devices at once."""

    def __init__(self, devices: int, seed: int) -> None:
        texts = [path.read_bytes() for path in list(real_files(1_000, 60_000))[:1500]]
        self.devices = [LoadDevice(number, seed, texts) for number in range(devices)]
        self.failures: list[str] = []

    def begin(self, server: Server, account: str, password: str, small: int, large: int) -> None:
        """Connects all devices and makes their first files."""
        for device in self.devices:
            device.connect(server, account, password)
        self._all(lambda device: device.fill(small, large))

    def work(self, steps: int) -> Done:
        """Lets each make so many steps; answers what they did together, and how long it was until the last had done."""
        self._all(lambda device: device.work(steps))
        done = Done(max(device.done.seconds for device in self.devices))
        for device in self.devices:
            done.requests += device.done.requests
            done.bytes += device.done.bytes
            done.times += device.done.times
        return done

    def verify(self) -> int:
        """Reads all files back, and answers how many there are."""
        self._all(LoadDevice.verify)
        return sum(len(device.written) for device in self.devices)

    def _all(self, act: Callable[[LoadDevice], object]) -> None:
        def guarded(device: LoadDevice) -> None:
            try:
                act(device)
            except (RuntimeError, OSError, http.client.HTTPException) as error:
                self.failures.append(f"{device.name}: {error}")

        threads = [threading.Thread(target=guarded, args=[device], daemon=True) for device in self.devices]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise RuntimeError("; ".join(self.failures))
