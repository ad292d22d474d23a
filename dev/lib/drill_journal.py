"""The journals and trees of a drill's namespaces, read from the metadata database and checked against what was told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from drill_history import OK, UNKNOWN, History, Operation, Verdict
from journal import problems_of_chain

ROOT = bytes(16)
Rows = Callable[[str], list[tuple]]
WRITES = ("put", "delete", "move", "upload", "folder")


@dataclass
class Entry:
    """One commit, as the journal has it."""

    revision: int
    hash: str
    device: str
    upload: str


@dataclass
class State:
    """A node from one revision on, up to, but not with, another; `end` is 0 while it lasts."""

    node: str
    start: int
    end: int
    parent: bytes
    name: str
    kind: int
    content: str


@dataclass
class Journal:
    """Everything that the database has of one namespace."""

    namespace: str
    entries: dict[int, Entry] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def head(self) -> int:
        """The newest revision."""
        return max(self.entries, default=0)

    def introduced(self) -> dict[str, list[int]]:
        """For each content the revisions that gave it to a node which did not have it: a rename gives nothing."""
        found: dict[str, list[int]] = defaultdict(list)
        before: dict[str, str] = {}
        for state in sorted(self.states, key=lambda state: state.start):
            if state.kind == 1 and before.get(state.node) != state.content:
                found[state.content].append(state.start)
            before[state.node] = state.content
        return found

    def tree(self, revision: int) -> dict[str, State]:
        """Every path at a revision."""
        alive = {
            state.node: state for state in self.states if state.start <= revision and not 0 < state.end <= revision
        }
        paths: dict[str, str] = {ROOT.hex(): ""}

        def path(node: str) -> str:
            if node not in paths:
                state = alive[node]
                paths[node] = f"{path(state.parent.hex())}/{state.name}"
            return paths[node]

        return {path(node): state for node, state in alive.items()}


def read_journal(rows: Rows, namespace: str, style: str = "sqlite") -> Journal:
    """Reads a namespace; `rows` answers one question in SQL, with ids and hashes as bytes."""
    journal = Journal(namespace)
    found = rows(
        "SELECT revision, hash, device, upload, time, changes, digest FROM journal"
        f" WHERE namespace = {_literal(namespace, style)} ORDER BY revision"
    )
    journal.problems = problems_of_chain(bytes.fromhex(namespace), found)
    for revision, digest, device, upload, *_ in found:
        journal.entries[revision] = Entry(revision, digest.hex(), device.hex(), upload.hex())
    for node, start, end, parent, name, kind, content in rows(
        "SELECT node, valid_from, valid_to, parent, name, kind, digest FROM node"
        f" WHERE namespace = {_literal(namespace, style)}"
    ):
        text = bytes(name).decode(errors="replace") if not isinstance(name, str) else name
        journal.states.append(
            State(node.hex(), start, end or 0, bytes(parent), text, kind, content.hex() if content else "")
        )
    return journal


def _literal(namespace: str, style: str) -> str:
    """An id in the words of the database at hand."""
    bytes.fromhex(namespace)
    return f"'\\x{namespace}'::bytea" if style == "postgresql" else f"X'{namespace}'"


def check_journal(history: History, journals: dict[str, Journal]) -> Verdict:
    """Every acknowledged commit is in the journal, once, under the revision and the hash that were told; the rest of the
    journal is explained by operations of which nobody knows what became of them."""
    verdict = Verdict("journal")
    for namespace, journal in journals.items():
        verdict.problems += journal.problems
        operations = [operation for operation in history.of(namespace) if operation.kind in WRITES]
        explained = _acknowledged(verdict, journal, operations)
        _once(verdict, journal, operations)
        _explained(verdict, journal, operations, explained)
    return verdict


def _acknowledged(verdict: Verdict, journal: Journal, operations: list[Operation]) -> dict[int, Operation]:
    told: dict[int, Operation] = {}
    begun = {(state.start, state.content) for state in journal.states}
    for operation in operations:
        if operation.outcome != OK:
            continue
        verdict.checked += 1
        entry = journal.entries.get(operation.revision)
        if entry is None:
            verdict.problems.append(f"lost commit: no entry for an acknowledged operation: {operation}")
            continue
        if operation.kind == "delete" and (entry.device != operation.device or operation.revision in told):
            # What was to go had gone by itself: the answer tells a head that something else made.
            continue
        if other := told.get(operation.revision):
            verdict.problems.append(f"one revision was told to two: {operation}, and {other}")
        told[operation.revision] = operation
        if entry.device != operation.device:
            verdict.problems.append(f"the entry is of device {entry.device[:8]}: {operation}")
        if operation.upload and entry.upload != operation.upload:
            verdict.problems.append(f"the entry has another idempotency key: {operation}")
        if operation.hash and entry.hash != operation.hash:
            verdict.problems.append(f"another hash was told than the entry's: {operation}")
        if operation.kind in ("put", "upload") and (operation.revision, operation.value) not in begun:
            verdict.problems.append(f"the entry does not give the content that was acknowledged: {operation}")
    return told


def _once(verdict: Verdict, journal: Journal, operations: list[Operation]) -> None:
    introduced = journal.introduced()
    uploads = Counter(entry.upload for entry in journal.entries.values())
    for operation in operations:
        if operation.kind in ("put", "upload") and len(found := introduced.get(operation.value or "", [])) > 1:
            verdict.problems.append(f"doubled commit: the revisions {found} give the same content: {operation}")
        if operation.upload and uploads[operation.upload] > 1:
            verdict.problems.append(f"doubled commit: {uploads[operation.upload]} entries have the key of {operation}")


def _explained(
    verdict: Verdict, journal: Journal, operations: list[Operation], explained: dict[int, Operation]
) -> None:
    unknown: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        if operation.outcome == UNKNOWN:
            unknown[operation.device].append(operation)
    left = Counter({device: len(found) for device, found in unknown.items()})
    for revision, entry in sorted(journal.entries.items()):
        if revision in explained:
            continue
        left[entry.device] -= 1
        if left[entry.device] < 0:
            verdict.problems.append(
                f"doubled commit: revision {revision} of {journal.namespace[:8]}, by device {entry.device[:8]}, is more"
                " than the device asked for"
            )


def resolve(history: History, journals: dict[str, Journal]) -> None:
    """Says of each write of unknown outcome what the journal knows: contents are unique, so that the entry that gives one
    is the write's. A write that never came into the journal never took effect, and whoever saw it saw what was lost."""
    for namespace, journal in journals.items():
        introduced = journal.introduced()
        keys = {entry.upload: entry.revision for entry in journal.entries.values()}
        for operation in history.of(namespace):
            if operation.outcome != UNKNOWN or operation.kind not in ("put", "upload"):
                continue
            found = introduced.get(operation.value or "", [])
            operation.revision = keys.get(operation.upload, found[0] if found else 0)


def check_reads(history: History, journals: dict[str, Journal]) -> Verdict:
    """What listings, changes and files showed is what the tree was at the revision that they name."""
    verdict = Verdict("reads agree with the journal")
    for namespace, journal in journals.items():
        trees: dict[int, dict[str, State]] = {}
        given = {(state.start, state.content) for state in journal.states}
        for operation in history.of(namespace):
            if operation.outcome != OK or operation.kind not in ("list", "changes", "get"):
                continue
            verdict.checked += 1
            if operation.kind == "get":
                if operation.value and (operation.revision, operation.value) not in given:
                    verdict.problems.append(f"a file shows what the journal never had: {operation}")
                continue
            entry = journal.entries.get(operation.revision)
            if operation.revision and (entry is None or operation.hash and entry.hash != operation.hash):
                verdict.problems.append(f"a head that the journal does not have: {operation}")
            elif operation.kind == "list":
                if operation.revision not in trees:
                    trees[operation.revision] = journal.tree(operation.revision)
                wanted = _listing(trees[operation.revision], operation.slot)
                if sorted(operation.entries or []) != wanted:
                    verdict.problems.append(f"a listing is not the tree of its revision: {operation}")
            elif problem := _problem_of_changes(journal, operation):
                verdict.problems.append(f"changes are not those of the journal: {problem}: {operation}")
    return verdict


def _listing(tree: dict[str, State], folder: str) -> list[tuple[str, str]]:
    return sorted((state.name, state.content) for path, state in tree.items() if path.rpartition("/")[0] == folder)


def _problem_of_changes(journal: Journal, operation: Operation) -> str:
    """Each node that changed after the cursor is told once, with its content at the revision; "-" for one that is gone."""
    first, last = operation.cursor, operation.revision
    before, after, touched = set(), {}, set()
    for state in journal.states:
        if state.start <= first and not 0 < state.end <= first:
            before.add(state.node)
        if state.start <= last and not 0 < state.end <= last:
            after[state.node] = state.content
        if first < state.start <= last or first < state.end <= last:
            touched.add(state.node)
    told = dict(operation.entries or [])
    if len(told) != len(operation.entries or []):
        return "a node is told twice"
    for node, content in told.items():
        if node not in touched or content != after.get(node, "-"):
            return f"node {node[:8]} is told as {content[:12] or 'a folder'}, it is {after.get(node, 'gone')[:12]}"
    # A node that came and went in between need not be told.
    left = [node for node in touched - told.keys() if node in before or node in after]
    return f"node {left[0][:8]} is not told" if left else ""
