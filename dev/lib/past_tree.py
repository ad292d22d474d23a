"""A tree of very many nodes and what happened to it, as commits for a server, and a copy of what some folders held."""

from __future__ import annotations

import math
import random
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from dataset import sentence, words
from messages import REMOVED, block, change, content, file_state, number, sized

# The most changes of a commit.
COMMIT = 10_000
# A commit of the history has 1 to so many changes, drawn so that the orders of magnitude are alike: 80 on average.
MOST_CHANGES = 500
CONTENTS = 200
DEEPEST = 8
FILES_BY_FOLDER = 40
# How many entries of a folder are kept apart, to compare: a first page.
PAGE = 1000
ROOT = 0


@dataclass
class Snapshot:
    """What the watched folders held after a commit: the first names of each, in order."""

    revision: int
    names: dict[int, list[bytes]]


@dataclass
class PastTree:
    """Nodes by number; the root is 0. Folders hold 40 files on average, at most eight levels deep.

    Two folders in the root are special: `busy`, which a quarter of all changes goes to, and `late`, which is empty at
    first and gets its files over the whole of the history. The folders in `fixed`, and those above them, stay where
    they are, so that their paths hold at every revision.
    """

    nodes: int
    large: int
    seed: int = 1
    head: int = 0
    snapshots: list[Snapshot] = field(default_factory=list)
    # The time after a commit and before the next, in nanoseconds, by revision.
    moments: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.generator = random.Random(self.seed)
        self.vocabulary = [word for word in dict.fromkeys(words()) if len(word) > 3]
        texts = [sentence(self.vocabulary, self.generator, 20 + at) + f" {at}" for at in range(CONTENTS)]
        self.blocks = [block(text.encode()) for text in texts]
        self.contents = [content(text.encode()) for text in texts]
        self.ids: list[bytes] = [bytes(16)]
        self.parent, self.revision, self.depth = array("q", [ROOT]), array("q", [0]), array("b", [0])
        self.names: list[bytes] = [b""]
        self.content_of = array("h", [0])
        self.watched: dict[int, set[bytes]] = {}
        self.busy, self.late = self._node(ROOT, b"busy"), self._node(ROOT, b"late")
        self.folders = [self.busy, self.late]
        self.ordinary: list[int] = []
        self.in_busy: list[int] = []
        self.in_late: list[int] = []
        self.fixed: list[int] = []
        self.movable: list[int] = []
        self.changes = 0

    # Making nodes

    def _node(self, parent: int, name: bytes) -> int:
        self.ids.append(self.generator.randbytes(16))
        self.parent.append(parent)
        self.revision.append(0)
        self.depth.append(self.depth[parent] + 1)
        self.names.append(name)
        self.content_of.append(-1)
        self._enter(len(self.ids) - 1)
        return len(self.ids) - 1

    def _enter(self, node: int) -> None:
        if (names := self.watched.get(self.parent[node])) is not None:
            names.add(self.names[node])

    def _leave(self, node: int) -> None:
        if (names := self.watched.get(self.parent[node])) is not None:
            names.remove(self.names[node])

    def _name(self, ending: bytes) -> bytes:
        # The number makes it unique in every folder.
        return b"%s %d%s" % (self.generator.choice(self.vocabulary), self.generator.getrandbits(40), ending)

    def _state(self, node: int, moment: int) -> bytes:
        parent, name = self.ids[self.parent[node]], self.names[node]
        if self.content_of[node] >= 0:
            return file_state(self.contents[self.content_of[node]], parent, name, moment)
        return b"\0" + parent + sized(name) + number(0o755) + moment.to_bytes(8, "big")

    def _change(self, node: int, moment: int) -> bytes:
        return change(self.ids[node], self.revision[node], self._state(node, moment))

    def _new_file(self, parent: int) -> int:
        node = self._node(parent, self._name(b".txt"))
        self.content_of[node] = self.generator.randrange(CONTENTS)
        return node

    # The first tree

    def first_commits(self, measured: int) -> Iterator[tuple[list[bytes], list[int]]]:
        """Commits that make the tree, each with the nodes that it touches."""
        self._make_folders()
        self._fix(measured)
        first = [self.busy, self.late, *self.folders[2:]]
        self.in_busy = [self._new_file(self.busy) for _ in range(self.large)]
        rest = self.nodes - len(first) - len(self.in_busy)
        self.ordinary = [self._new_file(self.generator.choice(self.folders[2:])) for _ in range(rest)]
        files = self.in_busy + self.ordinary
        self.generator.shuffle(files)
        nodes = first + files
        for start in range(0, len(nodes), COMMIT):
            part = nodes[start : start + COMMIT]
            yield [self._change(node, time.time_ns()) for node in part], part

    def _make_folders(self) -> None:
        shallow = [ROOT]
        for _ in range(max(20, self.nodes // FILES_BY_FOLDER)):
            folder = self._node(self.generator.choice(shallow), self._name(b""))
            self.folders.append(folder)
            if self.depth[folder] < DEEPEST:
                shallow.append(folder)

    def _fix(self, measured: int) -> None:
        """Chooses folders whose path stays, and begins to keep apart what they hold."""
        self.fixed = self.generator.sample(self.folders[2:], min(measured, len(self.folders) // 2))
        stays = {self.busy, self.late}
        for folder in self.fixed:
            while folder != ROOT and folder not in stays:
                stays.add(folder)
                folder = self.parent[folder]
        self.movable = [folder for folder in self.folders if folder not in stays]
        self.watched = {folder: set() for folder in (self.busy, self.late, *self.fixed)}
        for node in self.folders:
            self._enter(node)

    # The history

    def commit(self, left: int) -> tuple[list[bytes], list[int]]:
        """The changes of the next commit, with the nodes that they touch; so many commits are still to come."""
        count = int(math.exp(self.generator.uniform(0, math.log(MOST_CHANGES + 1))))
        touched: dict[int, bytes] = {}
        moment = time.time_ns()
        # So that the folder is full at the end.
        due = (self.large - len(self.in_late)) / max(1, left)
        for _ in range(int(due) + (self.generator.random() < due % 1)):
            node = self._new_file(self.late)
            self.in_late.append(node)
            touched[node] = self._change(node, moment)
        while count > 0:
            count -= 1
            if (found := self._edit(touched, moment)) is not None:
                touched[found[0]] = found[1]
        return list(touched.values()), list(touched)

    def _edit(self, touched: dict[int, bytes], moment: int) -> tuple[int, bytes] | None:
        """One change: mostly of bytes, else a rename, a move, a removal, a new file; now and then of a folder."""
        pool = self.in_busy if self.generator.random() < 0.25 else self.ordinary
        kind = self.generator.choices(["bytes", "rename", "move", "remove", "new", "folder"], [80, 6, 6, 3, 3, 2])[0]
        if kind == "new":
            node = self._new_file(self.busy if pool is self.in_busy else self.generator.choice(self.folders[2:]))
            pool.append(node)
            return node, self._change(node, moment)
        if kind == "folder":
            node = self.generator.choice(self.movable)
        else:
            at = self.generator.randrange(len(pool))
            node = pool[at]
        if node in touched:
            return None
        if kind == "remove":
            pool[at] = pool[-1]
            pool.pop()
            self._leave(node)
            return node, change(self.ids[node], self.revision[node], REMOVED)
        if kind == "bytes":
            step = self.generator.randrange(1, CONTENTS)
            self.content_of[node] = (self.content_of[node] + step) % CONTENTS
            return node, self._change(node, moment)
        self._leave(node)
        self.names[node] = self._name(b"" if kind == "folder" else b".txt")
        # What lies in `busy` stays there, and a folder goes to one that stays: nothing comes to lie in itself.
        if kind == "move" and pool is self.ordinary:
            self.parent[node] = self.generator.choice(self.folders[2:])
        elif kind == "folder" and self.generator.random() < 0.5:
            self.parent[node] = self.generator.choice(self.fixed)
        self._enter(node)
        return node, self._change(node, moment)

    # Afterwards

    def committed(self, revision: int, nodes: list[int]) -> None:
        """Notes that a commit has been made."""
        self.head = revision
        self.moments[revision] = time.time_ns()
        self.changes += len(nodes)
        for node in nodes:
            self.revision[node] = revision

    def keep(self) -> None:
        """Keeps apart what the watched folders hold now."""
        names = {folder: sorted(held)[:PAGE] for folder, held in self.watched.items()}
        self.snapshots.append(Snapshot(self.head, names))

    def path(self, folder: int) -> bytes:
        """Where a folder is."""
        names = []
        while folder != ROOT:
            names.append(self.names[folder])
            folder = self.parent[folder]
        return b"/" + b"/".join(reversed(names))
