"""Takes the offline queue's storage away under load, and looks whether every device that comes back ends at the head."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cairn import Server
from faults import Skipped, small_disk
from thin import ThinClient

PASSWORD = "a password for the drill"
JSON = {"Content-Type": "application/json"}
TRANSIENT = (ConnectionError, TimeoutError, http.client.HTTPException, OSError)


@dataclass
class Report:
    """What the drill did, and what it found wrong."""

    commits: int = 0
    returns: int = 0
    from_cursor: int = 0
    kills: int = 0
    failovers: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        slowest = f"{max(self.failovers):.1f} s" if self.failovers else "none"
        return (
            f"{self.commits} commits, {self.kills} kills, {len(self.failovers)} losses of a storage (slowest failover "
            f"{slowest}), {self.returns} returns ({self.from_cursor} read from their cursors)"
        )


@dataclass
class Account:
    """One account: who writes, who is away, and how far it is."""

    name: str
    writer: ThinClient
    away: list[Away] = field(default_factory=list)
    head: int = 0


class Away:
    """A device that is away, and has nothing but its cursor and its queue."""

    def __init__(self, account: Account, client: ThinClient) -> None:
        self.account = account
        self.client = client
        self.cursor = 0

    def come_back(self, report: Report) -> None:
        """Reads the queue, looks at what it names and at nothing else, and acknowledges it."""
        owed = self.account.head
        answer = self._call("GET", "/v1/queue")
        if answer.status != 200:
            report.problems.append(f"{self.account.name}: the queue answers {answer.status} {answer.code}")
            return
        listing = json.loads(answer.body)
        report.returns += 1
        report.from_cursor += listing["read_from_cursor"]
        named = {entry["namespace"] for entry in listing["entries"] if "namespace" in entry}
        for namespace in named - {self.client.namespace}:
            report.problems.append(f"{self.account.name}: told of namespace {namespace}, which is another's")
        if self.client.namespace in named or listing["read_from_cursor"]:
            self.cursor = self._changes()
        if self.cursor < owed:
            report.problems.append(f"{self.account.name}: at {self.cursor} after it came back, the head was {owed}")
        if position := listing.get("position"):
            body = json.dumps({"position": position}).encode()
            status = self._call("POST", "/v1/queue/acknowledge", body).status
            if status != 204:
                report.problems.append(f"{self.account.name}: the acknowledgement is answered {status}")

    def is_told_nothing(self) -> bool:
        """Whether nothing is left to be told: to be asked when nobody writes."""
        listing = json.loads(self._call("GET", "/v1/queue").body)
        return not listing["read_from_cursor"] and not any("namespace" in entry for entry in listing["entries"])

    def _changes(self) -> int:
        """The revision up to which the changes are told."""
        path = f"/v1/namespaces/{self.client.namespace}/changes?since={self.cursor}"
        body = self._call("GET", path).body
        revision = shift = 0
        for byte in body[16:]:
            revision |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        return revision

    def _call(self, method: str, path: str, body: bytes | None = None):  # noqa: ANN202
        return patiently(lambda: self.client.call(method, path, body, JSON if body else None))


def patiently(call: Callable, within: float = 60):  # noqa: ANN201
    """Makes a call until it is answered with anything but 'not now'."""
    deadline = time.monotonic() + within
    while True:
        try:
            answer = call()
            if answer.status != 503 or time.monotonic() > deadline:
                return answer
        except TRANSIENT:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


class QueueDrill:
    """The whole drill in one folder."""

    def __init__(self, folder: Path, programs: Path, seed: int, say: Callable[[str], None]) -> None:
        self.random = random.Random(seed)
        self.say = say
        self.report = Report()
        self.storages = [folder / "server" / "queue-1", folder / "queue-2"]
        self.server = Server(folder / "server", programs, options=["--queue", str(self.storages[1])])
        self.accounts: list[Account] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._disks = contextlib.ExitStack()

    def run(self, rounds: int, accounts: int, devices: int) -> Report:
        """Plays every way to lose a storage, `rounds` times, under load; then all devices come back."""
        self._prepare(accounts, devices)
        for account in self.accounts:
            thread = threading.Thread(target=self._write, args=(account,))
            thread.start()
            self._threads.append(thread)
        for number in range(rounds):
            for loss in (self._fill, self._damage, self._replace):
                self._lose(0, loss)
            self._lose(1, self._replace)
            self._some_come_back()
            self.say(f"round {number + 1}: {self.report}")
        self._end_writers()
        self._look()
        self._revoke()
        self.server.stop()
        return self.report

    def close(self) -> None:
        """Ends whatever still runs."""
        self._end_writers()
        self.server.kill()
        self._disks.close()

    # Preparation and load

    def _prepare(self, accounts: int, devices: int) -> None:
        for storage in self.storages:
            storage.mkdir(parents=True)
            try:
                self._disks.enter_context(small_disk(storage, 8))
            except Skipped as skipped:
                self.say(f"the storage is an ordinary folder, so it is not filled up: {skipped}")
        self.server.start()
        for number in range(accounts):
            name = f"account-{number}"
            self.server.add_account(name, PASSWORD)
            account = Account(name, self._login(name, "writer"))
            account.away = [Away(account, self._login(name, f"away-{index}")) for index in range(devices)]
            self.accounts.append(account)

    def _login(self, account: str, device: str) -> ThinClient:
        client = ThinClient(self.server.endpoint)
        answer = client.login(account, PASSWORD, device)
        assert answer.status == 200, answer
        return client

    def _write(self, account: Account) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                answer = account.writer.put(f"/file-{number % 40}", f"{account.name} {number}\n".encode())
            except TRANSIENT:
                time.sleep(0.05)
                continue
            if answer.status in (200, 201):
                account.head = max(account.head, int(str(answer.document["revision"])))
                self.report.commits += 1
            elif answer.status != 503:
                self.report.problems.append(f"a write is answered {answer.status} {answer.code}: {answer.detail}")
            time.sleep(0.01)

    def _end_writers(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    # Losses

    def _lose(self, side: int, loss: Callable[[int], Callable[[], None]]) -> None:
        """Takes a storage away in the middle of writes, kills the server now and then, and gives the storage back."""
        started = time.monotonic()
        give_back = loss(side)
        other = 2 - side
        if self._until(lambda: self._reads(other) and not self._writes(side + 1), 20):
            self.report.failovers.append(time.monotonic() - started)
        else:
            self.report.problems.append(f"{loss.__name__}: storage {side + 1} was not given up: {self._state()}")
        self._some_come_back()
        if self.random.random() < 0.5:
            self._kill()
            self._some_come_back()
        give_back()
        if not self._until(lambda: self._reads(1) and self._writes(2), 90):
            self.report.problems.append(f"{loss.__name__}: storage {side + 1} did not come back: {self._state()}")
        self._some_come_back()

    def _fill(self, side: int) -> Callable[[], None]:
        """Fills the disk up, file by file until not a byte is left."""
        place = self.storages[side] / "filler"
        if not os.path.ismount(self.storages[side]):
            return self._damage(side)
        with contextlib.suppress(OSError), place.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        return lambda: place.unlink(missing_ok=True)

    def _damage(self, side: int) -> Callable[[], None]:
        """Overwrites the files while they are in use; then the server is killed and finds what is left."""
        for name in ("queue.db", "queue.db-wal"):
            path = self.storages[side] / name
            if path.exists():
                with path.open("r+b") as file:
                    file.write(self.random.randbytes(path.stat().st_size))
        self._kill()
        return lambda: self._clear(side)

    def _replace(self, side: int) -> Callable[[], None]:
        """Has a folder where the file was, after the server was killed in the middle of writes."""
        self.server.kill()
        self.report.kills += 1
        self._clear(side)
        (self.storages[side] / "queue.db").mkdir()
        self.server.start()
        return lambda: (self.storages[side] / "queue.db").rmdir()

    def _clear(self, side: int) -> None:
        for path in self.storages[side].glob("queue.db*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _kill(self) -> None:
        self.server.kill()
        self.report.kills += 1
        self.server.start()

    # Looking

    def _metric(self, name: str, storage: int) -> bool:
        try:
            text = self.server.get("/metrics")[1]
        except TRANSIENT:
            return False
        found = re.search(rf'^{name}{{storage="{storage}"}} (\S+)$', text, re.MULTILINE)
        return found is not None and float(found[1]) == 1

    def _reads(self, storage: int) -> bool:
        return self._metric("cairn_queue_read", storage)

    def _writes(self, storage: int) -> bool:
        return self._metric("cairn_queue_written", storage)

    def _state(self) -> str:
        lines = [line for line in self.server.get("/metrics")[1].splitlines() if line.startswith("cairn_queue")]
        return ", ".join(lines)

    @staticmethod
    def _until(holds: Callable[[], bool], within: float) -> bool:
        deadline = time.monotonic() + within
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _some_come_back(self) -> None:
        for account in self.accounts:
            for device in self.random.sample(account.away, max(1, len(account.away) // 3)):
                device.come_back(self.report)

    def _look(self) -> None:
        """Both storages know what every device has to look at; then all come back, and nothing is left."""
        for number, storage in enumerate(self.storages, 1):
            if not self._until(lambda: not self._unknown(storage), 30):
                self.report.problems.append(f"storage {number} does not know of {self._unknown(storage)} devices")
        for account in self.accounts:
            for device in account.away:
                device.come_back(self.report)
                if device.cursor < account.head:
                    self.report.problems.append(f"{account.name}: ends at {device.cursor}, not at {account.head}")
                # One that was marked is told once more what it has just read; then there is no end to be waited for.
                device.come_back(self.report)
                if not device.is_told_nothing():
                    self.report.problems.append(f"{account.name}: is told something for ever")

    def _unknown(self, storage: Path) -> int:
        """How many devices the storage would tell nothing, although they are not at the head."""
        missing = 0
        with contextlib.closing(sqlite3.connect(f"file:{storage / 'queue.db'}?mode=ro", uri=True)) as connection:
            (epoch,) = connection.execute("SELECT epoch FROM queue_state").fetchone()
            for account in self.accounts:
                for device in account.away:
                    key = bytes.fromhex(device.client.device)
                    row = connection.execute(
                        "SELECT epoch, marked FROM queue_device WHERE device = ?", (key,)
                    ).fetchone()
                    if row is None or row[0] < epoch or row[1] is not None:
                        continue
                    version = connection.execute(
                        "SELECT MAX(version) FROM queue_entry WHERE device = ? AND kind = ''", (key,)
                    ).fetchone()[0]
                    missing += (version or 0) < account.head
        return missing

    def _revoke(self) -> None:
        """A device that is revoked has no queue from then on."""
        account = self.accounts[0]
        victim = account.away[0].client
        status = account.writer.call("DELETE", f"/v1/devices/{victim.device}").status
        answer = victim.call("GET", "/v1/queue")
        if status != 204 or answer.status != 401:
            self.report.problems.append(f"revoked with {status}, its queue is answered {answer.status}")

        def entries(storage: Path) -> int:
            with contextlib.closing(sqlite3.connect(f"file:{storage / 'queue.db'}?mode=ro", uri=True)) as connection:
                return connection.execute(
                    "SELECT COUNT(*) FROM queue_entry WHERE device = ?", (bytes.fromhex(victim.device),)
                ).fetchone()[0]

        for storage in self.storages:
            if not self._until(lambda: entries(storage) == 0, 10):
                self.report.problems.append(f"{entries(storage)} entries of a revoked device are left in {storage}")
