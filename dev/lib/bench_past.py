"""The past of a very large tree: pages of folders as they were, a rewind of everything, and what thinning looks at."""

from __future__ import annotations

import datetime
import http.client
import json
import os
import random
import time
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path

from bench_peers import ACCOUNT, PASSWORD
from cairn import Device, Server
from figures import Figures
from measure import Finished, Meter, run
from messages import MEDIA, committed, upload
from notify_load import percentile
from past_tree import PAGE, PastTree
from thin import ThinClient

NODES, REVISIONS, LARGE = 1_000_000, 10_000, 20_000
MEASURED = 300
SNAPSHOTS = 40
# How many times a command is run, each with another time in the past.
COMMANDS = 7
# A policy that gives something up, so that `explain` has something to say.
FEW = {"base": "keep-all", "max_versions": 4, "min_age": "1s"}


class KeptConnection:
    """A device with one connection for all of its requests."""

    def __init__(self, server: Server, token: str) -> None:
        self.connection = http.client.HTTPConnection(*server.endpoint, timeout=600)
        self.headers = {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: bytes) -> bytes:
        """Sends a binary message."""
        return self._ask("POST", path, body)

    def get(self, path: str) -> bytes:
        """Reads something."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        self.connection.request(method, path, body, self.headers | (MEDIA if body else {}))
        answer = self.connection.getresponse()
        found = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {found[:500].decode(errors='replace')}")
        return found


class PastBench:
    """One tree with its history, and the questions about it."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.folder, self.figures, self.say = folder, figures, say
        self.revisions = int(REVISIONS * scale)
        self.tree = PastTree(int(NODES * scale), int(LARGE * scale))
        self.generator = random.Random(2)
        self.server = Server(folder / "server", programs)
        self.device = Device("one", folder / "home", programs, folder / "linked")
        self.token = ""

    def run(self, pages: int, checks: bool) -> None:
        """Makes the tree, measures, and checks that it is one as any other."""
        self._prepare()
        self._seed()
        self._warm()
        busy, late = self.tree.busy, self.tree.late
        rows: list[tuple[str, Sequence[int]]] = [
            (f"page of an ordinary folder, one of {len(self.tree.fixed)}", self.tree.fixed),
            (f"page of a folder of {len(self.tree.in_busy)}, a quarter of all changes", [busy]),
            (f"page of a folder of {len(self.tree.in_late)} that came one by one", [late]),
        ]
        for row, folders in rows:
            self._pages(row, folders, pages)
            self._list_by_command(row, folders)
        self._verify()
        self._rewind()
        self._explain()
        self._finish(checks)

    def close(self) -> None:
        """Ends the server."""
        self.server.kill()

    def _command(self, *words: str | Path) -> Finished:
        return run([self.server.programs / "cairn-server", *words, "--data", self.server.data])

    def _prepare(self) -> None:
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        self._command("retention", "set", ACCOUNT, "keep-all")
        self.device.login(self.server.url, ACCOUNT, PASSWORD)

    # Seeding

    def _seed(self) -> None:
        """Through the API, as a device would: the tree first, then its history."""
        client = ThinClient(self.server.endpoint)
        client.login(ACCOUNT, PASSWORD)
        self.token = client.token
        connection = KeptConnection(self.server, self.token)
        place, tree = f"/v1/namespaces/{client.namespace}/uploads", self.tree
        meter = Meter(self.server.pid)
        first = True
        for changes, nodes in tree.first_commits(MEASURED):
            body = upload(os.urandom(16), changes, tree.blocks if first else None)
            tree.committed(committed(connection.post(place, body)), nodes)
            first = False
        self.say(f"{len(tree.ids) - 1} nodes in {tree.head} commits, {meter.stop().wall:.0f} s")
        tree.keep()
        started = tree.head
        while tree.head < self.revisions:
            left = self.revisions - tree.head
            changes, nodes = tree.commit(left)
            tree.committed(committed(connection.post(place, upload(os.urandom(16), changes))), nodes)
            if left == 1 or (tree.head - started) % max(1, self.revisions // SNAPSHOTS) == 0:
                tree.keep()
        usage = meter.stop()
        self.say(
            f"{tree.head} revisions, {tree.changes} changes, {usage.wall:.0f} s, server {usage.cpu:.0f} s of processor"
        )
        row = f"making it: {tree.changes} changes in {tree.head} commits"
        self.figures.add(row, "wall", usage.wall, "s")
        self.figures.add(row, "processor of the server", usage.cpu, "s")
        self.figures.add(row, "memory of the server", usage.memory, "B")

    def _finish(self, checks: bool) -> None:
        """Stops the server; fsck finds nothing."""
        self.server.stop()
        size = sum(path.stat().st_size for path in self.server.data.glob("cairn.db*"))
        self.figures.add("the database", "size", size, "B")
        if checks:
            found = self._command("fsck")
            self.figures.add("fsck", "wall", found.usage.wall, "s")
            self.figures.add("fsck", "processor", found.usage.cpu, "s")
            self.figures.add("fsck", "memory", found.usage.memory, "B")
            self.say(f"fsck is clean after {found.usage.wall:.0f} s; the database has {size / 1e6:.0f} MB")

    # Pages

    def _target(self, folder: int, at: str = "") -> str:
        path = urllib.parse.quote(self.tree.path(folder))
        return f"/v1/list{path}" + (f"?at={at}" if at else "")

    def _point(self) -> tuple[int, str]:
        """A revision since the tree was whole, drawn evenly; half of the time it is named by a moment."""
        revision = self.generator.randrange(self.tree.snapshots[0].revision, self.tree.head)
        if self.generator.random() < 0.5:
            return revision, str(revision)
        seconds, rest = divmod(self.tree.moments[revision], 10**9)
        text = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return revision, f"{text}.{rest:09}Z"

    def _warm(self) -> None:
        """What a first request brings with it is not counted."""
        connection = KeptConnection(self.server, self.token)
        for folder in (self.tree.busy, self.tree.late, *self.tree.fixed[:20]):
            connection.get(self._target(folder))
            connection.get(self._target(folder, self._point()[1]))

    def _pages(self, row: str, folders: Sequence[int], count: int) -> None:
        """Pairs of a first page as it is and as it was, over one connection."""
        connection = KeptConnection(self.server, self.token)
        now: list[float] = []
        then: list[float] = []
        meter = Meter(self.server.pid)
        for _ in range(count):
            folder = self.generator.choice(folders)
            now.append(self._timed(connection, self._target(folder), self.tree.head))
            revision, at = self._point()
            then.append(self._timed(connection, self._target(folder, at), revision))
        memory = meter.stop().memory
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            head, past = percentile(now, share), percentile(then, share)
            self.figures.add(row, f"head, {name}", round(head * 1000, 2), "ms")
            self.figures.add(row, f"past, {name}", round(past * 1000, 2), "ms")
            self.figures.add(row, f"past / head, {name}", past / head, "x")
            self.say(f"{row}: {name} {head * 1000:.1f} ms at the head, {past * 1000:.1f} ms in the past")
        self.figures.add(row, "past, slowest", round(max(then) * 1000, 2), "ms")
        self.figures.add(row, "memory of the server", memory, "B")

    @staticmethod
    def _timed(connection: KeptConnection, target: str, revision: int) -> float:
        started = time.perf_counter()
        answer = connection.get(target)
        seconds = time.perf_counter() - started
        if (found := json.loads(answer)["revision"]) != revision:
            raise RuntimeError(f"{target} answers revision {found}, not {revision}")
        return seconds

    def _list_by_command(self, row: str, folders: Sequence[int]) -> None:
        """`cairn ls`, which reads all pages of the folder."""
        for _ in range(COMMANDS):
            path = os.fsdecode(self.tree.path(self.generator.choice(folders)))
            self.figures.add(row, "cairn ls", self.device.run("ls", path).usage.wall, "s")
            then = self.device.run("ls", path, "--at", self._point()[1])
            self.figures.add(row, "cairn ls --at", then.usage.wall, "s")

    def _verify(self) -> None:
        """Every first page that was kept apart is what the server says it was."""
        connection = KeptConnection(self.server, self.token)
        count = 0
        for snapshot in self.tree.snapshots:
            chosen = self.generator.sample(self.tree.fixed, min(20, len(self.tree.fixed)))
            for folder in (self.tree.busy, self.tree.late, *chosen):
                document = json.loads(connection.get(self._target(folder, str(snapshot.revision))))
                found = [entry["name"].encode() for entry in document["entries"]]
                if found != snapshot.names[folder][:PAGE]:
                    raise RuntimeError(f"{os.fsdecode(self.tree.path(folder))} at {snapshot.revision} is not as it was")
                count += 1
        self.say(f"{count} pages of the past are what they were")

    # Everything at once

    def _rewind(self) -> None:
        """What a rewind of everything would do, at the revisions of equal steps back."""
        row = "rewind --dry-run of everything"
        first = self.tree.snapshots[0].revision
        for number in range(COMMANDS):
            revision = first + (self.tree.head - first) * number // COMMANDS
            meter = Meter(self.server.pid)
            command = ["rewind", "/", "--at", str(revision), "--dry-run", "--json"]
            finished = self.device.run(*command, check=False)
            usage = meter.stop()
            if finished.code not in (0, 1):
                raise RuntimeError(f"{' '.join(command)}: {finished.code} {finished.output}{finished.errors}")
            self.figures.add(row, "wall", finished.usage.wall, "s")
            self.figures.add(row, "processor of the server", usage.cpu, "s")
            self.figures.add(row, "memory", finished.usage.memory, "B")
            self.figures.add(row, "memory of the server", usage.memory, "B")
            self.say(f"{row} to {revision} of {self.tree.head}: {finished.usage.wall:.1f} s")

    def _explain(self) -> None:
        """Beside the running server, by the default policy and by one that gives much up."""
        few = self.folder / "few.json"
        few.write_text(json.dumps(FEW))
        for name, policy in (("the default policy", "default"), ("at most 4 versions", str(few))):
            row = f"retention explain of everything, {name}"
            found = self._command("retention", "explain", ACCOUNT, "--policy", policy, "--json")
            self.figures.add(row, "wall", found.usage.wall, "s")
            self.figures.add(row, "processor", found.usage.cpu, "s")
            self.figures.add(row, "memory", found.usage.memory, "B")
            self.say(f"{row}: {found.usage.wall:.1f} s; {found.output.splitlines()[-1][:300]}")
