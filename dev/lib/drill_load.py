"""The load of a drill: devices of a few accounts that write, rename, remove, upload, read, list and poll all the time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from drill_device import PATIENCE, DrillDevice, Upload, draw_upload
from drill_history import OK, History, Operation
from drill_parts import Cluster, Endpoint
from messages import MEDIA, Reader, listed, number
from thin import Answer

PASSWORD = "a password for the drill"
SLOTS = "abc"
# How long a poll is parked before it is answered without news.
POLL_SECONDS = 5
# After how long a poller asks for a new poll token; it would be good for twice as long.
TOKEN_SECONDS = 300
# Cells whose paths are written and removed, and cells whose one file is renamed: removals of unknown outcome beside renames
# would leave the search too many orders.
CELLS = [f"cell-{count}" for count in range(6)] + [f"move-{count}" for count in range(3)]


@dataclass
class Scale:
    """How much load there is."""

    accounts: int = 2
    writers: int = 3
    pollers: int = 2
    pause: float = 0.02


@dataclass
class Member:
    """An account of the load."""

    name: str
    namespace: str = ""
    folders: dict[str, bytes] = field(default_factory=dict)
    # The paths of uploads, for others to read.
    uploaded: list[str] = field(default_factory=list)


class Writer(DrillDevice):
    """A device that does one random thing after the other."""

    def __init__(
        self, endpoint: Endpoint, history: History, generator: random.Random, name: str, member: Member
    ) -> None:
        super().__init__(endpoint, history, generator, name)
        self.member = member
        self.cursor = 0
        self.seen: dict[tuple[str, str], str | None] = {}
        self.uploads: list[tuple[bytes, int, str]] = []
        self.sent: list[Upload] = []

    def act(self) -> None:
        """One operation."""
        choices: list[tuple[int, Callable[[], Operation]]] = [
            (26, self._write),
            (24, self._read),
            (7, self._remove),
            (9, self._rename),
            (8, self._upload),
            (12, lambda: self.listing("/" + self.generator.choice([*CELLS, "uploads"]))),
            (14, self._follow),
        ]
        act = self.generator.choices([each for _, each in choices], [weight for weight, _ in choices])[0]
        act()

    def _note(self, operation: Operation) -> Operation:
        if operation.outcome == OK:
            self.seen[operation.cell, operation.slot] = operation.value
        else:
            self.seen.pop((operation.cell, operation.slot), None)
        return operation

    def _write(self) -> Operation:
        cell, slot = self.generator.choice(CELLS), self.generator.choice(SLOTS)
        if cell.startswith("move"):
            return self._note(self.put(cell, slot, "present"))
        known = self.seen.get((cell, slot))
        expected = self.generator.choice(["", "", "absent", "present", known or ""])
        return self._note(self.put(cell, slot, expected))

    def _read(self) -> Operation:
        if self.member.uploaded and self.generator.random() < 0.2:
            name = self.generator.choice(self.member.uploaded)
            return self.get("uploads", name)
        return self._note(self.get(self.generator.choice(CELLS), self.generator.choice(SLOTS)))

    def _remove(self) -> Operation:
        cell = self.generator.choice([cell for cell in CELLS if cell.startswith("cell")])
        slot = self.generator.choice(SLOTS)
        known = self.seen.pop((cell, slot), None)
        return self.delete(cell, slot, known if known and self.generator.random() < 0.5 else "")

    def _rename(self) -> Operation:
        cell = self.generator.choice([cell for cell in CELLS if cell.startswith("move")])
        slot, target = self.generator.sample(SLOTS, 2)
        self.seen.pop((cell, slot), None)
        return self.move(cell, slot, target)

    def _upload(self) -> Operation:
        """A new file, or a new content for one of its own."""
        if self.uploads and self.generator.random() < 0.4:
            place = self.generator.randrange(len(self.uploads))
            node, base, name = self.uploads.pop(place)
        else:
            node, base, name = self.generator.randbytes(16), 0, f"{self.name}-{len(self.member.uploaded)}"
        count = self.generator.choice([1, 1, 2, 3, 9])
        upload = draw_upload(self.generator, count, 60_000, node, base, self.member.folders["uploads"], name)
        self.sent.append(upload)
        operation = self.upload(upload, "uploads")
        if operation.outcome == OK:
            self.uploads.append((node, operation.revision, name))
            if not base:
                self.member.uploaded.append(name)
        upload.blocks = {}
        return operation

    def _follow(self) -> Operation:
        operation = self.changes(self.cursor)
        if operation.outcome == OK:
            self.cursor = operation.revision
        return operation


class Poller(DrillDevice):
    """A device that only follows: it polls where it is told to, and asks for the changes when it is woken."""

    def __init__(self, endpoint: Endpoint, history: History, generator: random.Random, name: str) -> None:
        super().__init__(endpoint, history, generator, name)
        self.cursor = 0
        self.servers: list[Endpoint] = []
        self._poll_token, self._own_token, self._token_ends = "", "", 0.0
        self._own, self._own_tls = endpoint, self.tls
        self._place = self._troubles = 0

    def wait_after(self, failures: int) -> float:
        """As the protocol has it for whoever polls: below a second at first, twice as much after each failure."""
        return self.generator.uniform(0, min(60.0, 2.0 ** (failures - 1)))

    def begin(self) -> None:
        """Looks at the head."""
        self._own_token, self._own_tls = self.token, self.tls
        operation = self.changes(0)
        if operation.outcome != OK:
            raise RuntimeError(f"{self.name} could not ask for changes: {operation}")
        self.cursor = operation.revision

    def act(self) -> None:
        """One poll, and the changes if there is news."""
        self._choose()
        operation = self.history.begin("poll", self.device, self.namespace)
        operation.cursor = self.cursor
        body = number(POLL_SECONDS) + listed([bytes.fromhex(self.namespace) + number(self.cursor)])
        answer = self.once("poll", "POST", "/v1/poll", body, MEDIA, patience=POLL_SECONDS + PATIENCE)
        if answer and answer.status == 401:
            # The token ended, or its key did: a new one is asked for, but not at once and for ever.
            self._token_ends = 0
            time.sleep(0.5)
        if not self._end(operation, answer, (401,)) or not answer:
            self._troubles += 1
            return
        if self.token != self._own_token:
            self._troubles = 0
        reader = Reader(answer.body)
        for _ in range(reader.number()):
            record = Reader(reader.sized())
            if record.take(16).hex() == self.namespace:
                operation.revision = record.number()
        if operation.revision > self.cursor:
            self._use(self._own, self._own_token)
            found = self.changes(self.cursor)
            self.cursor = found.revision if found.outcome == OK else self.cursor

    def _choose(self) -> None:
        """After a failure it goes to another of the servers; when all have failed it polls with its own token where that is
        good, until it has a new poll token and tries all of them again."""
        if time.monotonic() > self._token_ends:
            self._use(self._own, self._own_token)
            answer = self.once("read", "POST", "/v1/poll/token", b"{}", {"Content-Type": "application/json"})
            if answer and answer.status == 200:
                self._renew(answer)
        if self._poll_token and self._troubles <= len(self.servers):
            if self._troubles:
                self._place += 1
            self._use(self.servers[self._place % len(self.servers)], self._poll_token)
        else:
            self._use(self._own, self._own_token)

    def _renew(self, answer: Answer) -> None:
        self._poll_token = str(answer.document["token"])
        self._token_ends = time.monotonic() + TOKEN_SECONDS
        servers = answer.document["servers"]
        assert isinstance(servers, list)
        self.servers = [_endpoint(url) for url in servers] or [self._own]
        self._place = self.generator.randrange(len(self.servers))
        self._troubles = 0

    def _use(self, endpoint: Endpoint, token: str) -> None:
        if endpoint != self.endpoint:
            self.close()
        self.endpoint, self.token = endpoint, token
        self.tls = self._own_tls if endpoint == self._own else None


def _endpoint(url: str) -> Endpoint:
    host, _, port = url.rpartition("/")[2].rpartition(":")
    return host, int(port)


class Load:
    """All devices, each in its thread."""

    def __init__(self, cluster: Cluster, endpoint: Endpoint, seed: str, scale: Scale) -> None:
        self.cluster, self.endpoint, self.scale = cluster, endpoint, scale
        self.history = History()
        self.generator = random.Random(seed)
        self.members: list[Member] = []
        self.writers: list[Writer] = []
        self.pollers: list[Poller] = []
        self.contents: dict[str, str] = {}
        self.errors: list[str] = []
        self._threads: list[threading.Thread] = []
        self._writing, self._polling = threading.Event(), threading.Event()

    def prepare(self, prefix: str) -> None:
        """Makes the accounts, their devices and folders."""
        for place in range(self.scale.accounts):
            member = Member(f"{prefix}-{place}")
            self.members.append(member)
            self.cluster.add_account(member.name, PASSWORD)
            writers = [self.device(Writer, member, f"writer-{count}", member) for count in range(self.scale.writers)]
            member.namespace = writers[0].namespace
            for folder in [*CELLS, "uploads"]:
                if writers[0].folder(f"/{folder}").outcome != OK:
                    raise RuntimeError(f"the folder {folder} could not be made: {self.history.surprises}")
            for cell in CELLS:
                if cell.startswith("move"):
                    writers[0].put(cell, "a")
            self._find_folders(member, writers[0])
            self.writers += writers
            self.pollers += [self.device(Poller, member, f"poller-{count}") for count in range(self.scale.pollers)]

    def device(self, kind: type, member: Member, name: str, *more: object):  # noqa: ANN201
        """Another device of an account."""
        generator = random.Random(self.generator.getrandbits(64))
        found = kind(self.endpoint, self.history, generator, name, *more)
        found.contents = self.contents
        # What stands in between, such as the proxy of old news, speaks to us without.
        found.tls = self.cluster.tls if self.endpoint == self.cluster.endpoint else None
        found.login(member.name, PASSWORD)
        return found

    def _find_folders(self, member: Member, device: DrillDevice) -> None:
        """The ids of the folders: the nodes of the journal's first commits."""
        for folder in ("uploads",):
            rows = self.cluster.rows(
                f"SELECT node, namespace FROM node WHERE kind = 0 AND name = {_text(folder, self.cluster.style)}"
            )
            found = [bytes(node) for node, namespace in rows if bytes(namespace).hex() == device.namespace]
            member.folders[folder] = found[0]

    def start(self) -> None:
        """Lets all devices go."""
        self._writing.set()
        self._polling.set()
        for poller in self.pollers:
            poller.begin()
        for device in [*self.pollers, *self.writers]:
            thread = threading.Thread(target=self._work, args=(device,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, patience: float) -> float:
        """Ends the writers, waits until the pollers know everything, and answers how long that may have taken at most."""
        self._writing.clear()
        for thread in self._threads[len(self.pollers) :]:
            thread.join()
        heads = {member.namespace: self._head(member.namespace) for member in self.members}
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any(each.cursor < heads[each.namespace] for each in self.pollers):
            time.sleep(0.05)
        until = time.monotonic()
        self._polling.clear()
        for thread in self._threads:
            thread.join()
        for device in [*self.pollers, *self.writers]:
            device.close()
        self.history.surprises += self.errors
        return until

    def halt(self) -> None:
        """Ends every device, whatever it does; nothing when they have ended."""
        self._writing.clear()
        self._polling.clear()
        for thread in self._threads:
            thread.join()

    def _head(self, namespace: str) -> int:
        return max(
            (each.revision for each in self.history.operations if each.namespace == namespace and each.kind != "get"),
            default=0,
        )

    def _work(self, device: Writer | Poller) -> None:
        going = self._polling if isinstance(device, Poller) else self._writing
        try:
            while going.is_set():
                device.act()
                if isinstance(device, Writer):
                    time.sleep(device.generator.uniform(0, 2 * self.scale.pause))
        except Exception as error:  # noqa: BLE001  A device that ends is a finding, not the end of the drill.
            self.errors.append(f"{device.name} ended: {type(error).__name__}: {error}")


def _text(word: str, style: str) -> str:
    """A name, which the database keeps as bytes."""
    return f"'\\x{word.encode().hex()}'::bytea" if style == "postgresql" else f"X'{word.encode().hex()}'"
