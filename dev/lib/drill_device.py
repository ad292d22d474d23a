"""One device of a drill: HTTP over a connection that it keeps, every request noted, every operation with its outcome."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import random
import ssl
import time
import urllib.parse
from dataclasses import dataclass, field

from drill_history import OK, REFUSED, UNKNOWN, Attempt, History, Operation
from messages import MEDIA, Outcome, Reader, block, content_of_state, listed, new_state, upload
from recipe import Recipe, recipe
from thin import Answer

JSON = {"Content-Type": "application/json"}
FAILURES = (OSError, http.client.HTTPException)
# How long a request may take before the device gives it up.
PATIENCE = 5.0
# For how long an operation that may be repeated is repeated.
PERSISTENCE = 90.0
BATCH = 4


@dataclass
class Upload:
    """An announced upload: what it is made of, and what is known to be durable of it."""

    identifier: bytes
    node: bytes
    base: int
    parent: bytes
    name: str
    blocks: dict[bytes, bytes]
    recipe: Recipe
    durable: set[bytes] = field(default_factory=set)
    # Blocks that the server asked for though it had said that they are durable.
    asked_again: int = 0

    @property
    def value(self) -> str:
        """The digest of its content."""
        return self.recipe.content[1:].hex()

    def message(self) -> bytes:
        """The announcement."""
        change = new_state(self.node, self.base, self.parent, self.name.encode(), self.recipe.content, self.recipe.size)
        return upload(self.identifier, [change], pages=self.recipe.pages)


def draw_upload(
    generator: random.Random, count: int, size: int, node: bytes, base: int, parent: bytes, name: str
) -> Upload:
    """An upload of blocks that nobody has."""
    blocks = [generator.randbytes(generator.randrange(size // 2, size + 1)) for _ in range(count)]
    named = {hashlib.sha256(each).digest(): each for each in blocks}
    return Upload(generator.randbytes(16), node, base, parent, name, named, recipe(blocks))


class DrillDevice:
    """A device; used by one thread."""

    def __init__(self, endpoint: tuple[str, int], history: History, generator: random.Random, name: str) -> None:
        self.endpoint, self.history, self.generator, self.name = endpoint, history, generator, name
        self.token = self.namespace = self.device = ""
        # By which authority the endpoint is known; without one it speaks no TLS.
        self.tls: ssl.SSLContext | None = None
        # What each content's bytes are, as SHA-256: shared by the devices of a load.
        self.contents: dict[str, str] = {}
        self._connection: http.client.HTTPConnection | None = None
        self._failures = 0

    def login(self, account: str, password: str) -> None:
        """Becomes a device of an account."""
        document = json.dumps({"account": account, "password": password, "device": self.name}).encode()
        answer = self.persist("login", "POST", "/v1/login", document, JSON)
        if answer is None or answer.status != 200:
            raise RuntimeError(f"{self.name} could not log in: {answer and answer.detail}")
        self.token = str(answer.document["token"])
        self.namespace, self.device = str(answer.document["namespace_id"]), str(answer.document["device_id"])

    def close(self) -> None:
        """Ends the connection."""
        if self._connection:
            self._connection.close()
        self._connection = None

    # Requests

    def once(
        self,
        kind: str,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Answer | None:
        """One request; None when it failed, after the wait that a failure is followed by."""
        started = time.monotonic()
        failure, answer = "", None
        try:
            answer = self._exchange(method, path, body, headers or {}, patience)
            if answer.status >= 500 or answer.status == 429:
                failure = f"{answer.status} {answer.code}"
        except FAILURES as error:
            failure = f"{type(error).__name__}: {error}"
        attempt = Attempt(self.device or self.name, kind, started, time.monotonic(), failure)
        if failure:
            self.close()
            self._failures += 1
            attempt.wait = self.wait_after(self._failures)
            self.history.attempt(attempt)
            time.sleep(attempt.wait)
            return None
        self._failures = 0
        self.history.attempt(attempt)
        return answer

    def wait_after(self, failures: int) -> float:
        """The wait after so many failures in a row: drawn evenly below a bound that doubles."""
        return self.generator.uniform(0, min(1.0, 0.05 * 2**failures))

    def persist(
        self,
        kind: str,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        operation: Operation | None = None,
    ) -> Answer | None:
        """Repeats what may be repeated; what only reads begins anew with each attempt."""
        deadline = time.monotonic() + PERSISTENCE
        while time.monotonic() < deadline:
            if operation:
                operation.invoked = time.monotonic()
            if answer := self.once(kind, method, path, body, headers):
                return answer
        return None

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str], patience: float) -> Answer:
        if not self._connection:
            self._connection = (
                http.client.HTTPSConnection(*self.endpoint, timeout=patience, context=self.tls)
                if self.tls
                else http.client.HTTPConnection(*self.endpoint, timeout=patience)
            )
        connection = self._connection
        connection.timeout = patience
        if connection.sock:
            connection.sock.settimeout(patience)
        sent = headers | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())

    # Operations

    def _end(self, operation: Operation, answer: Answer | None, refusals: tuple[int, ...]) -> bool:
        """Notes the outcome; true when it is a success."""
        if answer is None:
            return False
        now = time.monotonic()
        if answer.status in (200, 201, 204):
            operation.outcome, operation.returned = OK, now
            return True
        if answer.status in refusals:
            operation.outcome, operation.returned = REFUSED, now
            return False
        self.history.surprise(
            f"{operation.kind} is answered {answer.status} {answer.code} {answer.detail}: {operation}"
        )
        return False

    def put(self, cell: str, slot: str, expected: str = "") -> Operation:
        """Writes a new content to a path; expected is "", "present", "absent" or a content of one block."""
        body = self.generator.randbytes(self.generator.randrange(40, 12_000))
        operation = self.history.begin("put", self.device, self.namespace)
        operation.cell, operation.slot, operation.expected = cell, slot, expected
        operation.value = hashlib.sha256(body).hexdigest()
        self.contents[operation.value] = operation.value
        answer = self.once("write", "PUT", f"/v1/files/{cell}/{slot}", body, _conditions(expected))
        if self._end(operation, answer, (412,)) and answer:
            self._told(operation, answer)
            if operation.value not in answer.headers.get("etag", ""):
                self.history.surprise(f"another entity tag, {answer.headers.get('etag')}: {operation}")
        return operation

    def get(self, cell: str, slot: str) -> Operation:
        """Reads a path, and compares the bytes with those that were written under the content's name."""
        operation = self.history.begin("get", self.device, self.namespace)
        operation.cell, operation.slot = cell, slot
        answer = self.persist("read", "GET", f"/v1/files/{cell}/{slot}", operation=operation)
        if answer and answer.status == 404:
            operation.outcome, operation.returned = OK, time.monotonic()
        elif self._end(operation, answer, ()) and answer:
            operation.value = answer.headers.get("etag", "").strip('"').rpartition("-")[2]
            operation.revision = int(answer.headers.get("x-cairn-revision", "0"))
            if hashlib.sha256(answer.body).hexdigest() != self.contents.get(operation.value):
                self.history.surprise(f"other bytes than were written: {operation}")
        return operation

    def delete(self, cell: str, slot: str, expected: str = "") -> Operation:
        """Removes a path."""
        operation = self.history.begin("delete", self.device, self.namespace)
        operation.cell, operation.slot, operation.expected = cell, slot, expected
        answer = self.once("write", "DELETE", f"/v1/files/{cell}/{slot}", None, _conditions(expected))
        if self._end(operation, answer, (404, 412)) and answer:
            self._told(operation, answer)
        return operation

    def move(self, cell: str, slot: str, target: str) -> Operation:
        """Renames within a cell."""
        operation = self.history.begin("move", self.device, self.namespace)
        operation.cell, operation.slot, operation.target = cell, slot, target
        names = {"from": f"/{cell}/{slot}", "to": f"/{cell}/{target}"}
        body = json.dumps({key: urllib.parse.quote(path) for key, path in names.items()}).encode()
        answer = self.once("write", "POST", "/v1/move", body, JSON)
        if self._end(operation, answer, (404, 409)) and answer:
            self._told(operation, answer)
        return operation

    def folder(self, path: str) -> Operation:
        """Makes a folder."""
        operation = self.history.begin("folder", self.device, self.namespace)
        answer = self.once("write", "POST", f"/v1/folders{path}")
        if self._end(operation, answer, ()) and answer:
            self._told(operation, answer)
        return operation

    def listing(self, folder: str) -> Operation:
        """Lists a folder at the head."""
        operation = self.history.begin("list", self.device, self.namespace)
        operation.slot = folder
        answer = self.persist("read", "GET", f"/v1/list{folder}", operation=operation)
        if self._end(operation, answer, ()) and answer:
            self._told(operation, answer)
            found = answer.document["entries"]
            assert isinstance(found, list)
            operation.entries = [
                (each["name"], (each.get("etag") or "").strip('"').rpartition("-")[2]) for each in found
            ]
        return operation

    def changes(self, since: int) -> Operation:
        """Asks for the changes since a cursor, with all their pages."""
        operation = self.history.begin("changes", self.device, self.namespace)
        operation.cursor = since
        entries: list[tuple[str, str]] = []
        more = ""
        while True:
            path = f"/v1/namespaces/{self.namespace}/changes?since={since}&limit=1000{more}"
            # The first page decides what is seen; the others are of the same revision.
            answer = self.persist("read", "GET", path, operation=None if more else operation)
            if not self._end(operation, answer, ()) or not answer:
                return operation
            reader = Reader(answer.body)
            reader.take(16)
            operation.revision, operation.hash = reader.number(), reader.take(32).hex()
            more = ""
            if reader.take(1) == b"\1":
                more = f"&upto={operation.revision}&after={reader.number()}-{reader.take(16).hex()}"
            for _ in range(reader.number()):
                record = Reader(reader.sized())
                node = record.take(16).hex()
                record.number()
                entries.append((node, content_of_state(record)))
            if not more:
                operation.entries = entries
                return operation

    def upload(self, upload: Upload, cell: str) -> Operation:
        """Announces an upload and sends its blocks until it is decided, however often that takes a new attempt."""
        operation = self.history.begin("upload", self.device, self.namespace)
        operation.cell, operation.slot, operation.upload = cell, upload.name, upload.identifier.hex()
        operation.value = upload.value
        whole = b"".join(upload.blocks.values())
        self.contents[upload.value] = hashlib.sha256(whole).hexdigest()
        deadline = time.monotonic() + PERSISTENCE
        while time.monotonic() < deadline:
            if outcome := self._announce(upload, operation):
                if outcome.kind == "pending":
                    outcome = self._send(upload, outcome.blocks, operation)
                if outcome and outcome.kind != "pending":
                    operation.outcome = OK if outcome.kind == "committed" else REFUSED
                    operation.returned = time.monotonic()
                    operation.revision, operation.hash = outcome.revision, outcome.hash
                    break
            if operation.outcome != UNKNOWN:
                break
        return operation

    def _announce(self, upload: Upload, operation: Operation) -> Outcome | None:
        path = f"/v1/namespaces/{self.namespace}/uploads"
        answer = self.once("write", "POST", path, upload.message(), MEDIA)
        if not answer:
            return None
        if answer.status != 200:
            self._end(operation, answer, ())
            operation.outcome, operation.returned = REFUSED, time.monotonic()
            return None
        outcome = Outcome(Reader(answer.body))
        upload.asked_again += len(upload.durable & set(outcome.blocks))
        return outcome

    def _send(self, upload: Upload, missing: list[bytes], operation: Operation) -> Outcome | None:
        """Sends what is missing in batches; gives up at the first that fails, so that the server is asked what it has."""
        for first in range(0, len(missing), BATCH):
            batch = missing[first : first + BATCH]
            body = listed([block(upload.blocks[name], name) for name in batch])
            answer = self.once("write", "POST", f"/v1/blocks?upload={upload.identifier.hex()}", body, MEDIA)
            if not answer or answer.status != 200:
                if answer:
                    self._end(operation, answer, ())
                return None
            reader = Reader(answer.body)
            reader.number()
            upload.durable |= set(batch)
            self.after_batch(upload)
            if reader.take(1) == b"\1":
                return Outcome(reader)
        return None

    def after_batch(self, upload: Upload) -> None:
        """Called when a batch is durable."""

    def _told(self, operation: Operation, answer: Answer) -> None:
        with contextlib.suppress(KeyError):
            operation.revision = int(str(answer.document["revision"]))


def _conditions(expected: str) -> dict[str, str]:
    if not expected:
        return {}
    if expected == "absent":
        return {"If-None-Match": "*"}
    return {"If-Match": "*" if expected == "present" else f'"0-{expected}"'}
