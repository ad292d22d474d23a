"""The gate, the proxy that tells old news, and the checkers of bytes, on small servers of their own."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import random
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from drill_bytes import check_bytes, check_regions
from drill_device import DrillDevice
from drill_history import OK, History, Operation
from drill_journal import Entry, Journal, State, read_journal
from drill_parts import system_named
from gate import Gate, StaleProxy
from thin import Answer

NAMESPACE = "0a" * 16


class Counting(BaseHTTPRequestHandler):
    """Answers each request with how many came before."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802
        self.server.count += 1  # type: ignore[attr-defined]
        body = str(self.server.count).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Wires(unittest.TestCase):
    """What stands between a device and a server."""

    def setUp(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
        self.server.count = 0  # type: ignore[attr-defined]
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.target = ("127.0.0.1", self.server.server_port)

    def ask(self, endpoint: tuple[str, int], path: str = "/v1/files/cell-1/a", timeout: float = 10) -> str:
        link = http.client.HTTPConnection(*endpoint, timeout=timeout)
        try:
            link.request("GET", path)
            return link.getresponse().read().decode()
        finally:
            link.close()

    def test_a_gate_that_is_cut_answers_nothing_and_refuses_nothing(self) -> None:
        gate = Gate(self.target)
        self.addCleanup(gate.close)
        self.assertEqual(self.ask(gate.endpoint), "1")
        gate.cut()
        with self.assertRaises(TimeoutError):
            self.ask(gate.endpoint, timeout=0.3)
        gate.mend()
        self.assertTrue(self.ask(gate.endpoint))

    def test_what_waited_at_a_gate_goes_through_when_it_opens(self) -> None:
        gate = Gate(self.target)
        self.addCleanup(gate.close)
        gate.cut()
        threading.Timer(0.2, gate.mend).start()
        self.assertEqual(self.ask(gate.endpoint), "1")

    def test_the_proxy_tells_what_was_so_once(self) -> None:
        proxy = StaleProxy(self.target, 1, share=1)
        self.addCleanup(proxy.close)
        first = self.ask(proxy.endpoint)
        self.assertNotEqual(self.ask(proxy.endpoint), first)
        time.sleep(1.05)
        self.assertEqual(self.ask(proxy.endpoint), first)
        self.assertEqual(proxy.told, 1)

    def test_the_proxy_leaves_other_answers_alone(self) -> None:
        proxy = StaleProxy(self.target, 1, share=1)
        self.addCleanup(proxy.close)
        found = {self.ask(proxy.endpoint, "/v1/session") for _ in range(5)}
        self.assertEqual(len(found), 5)

    def test_a_device_notes_every_attempt(self) -> None:
        history = History()
        device = DrillDevice(self.target, history, random.Random(1), "d")
        self.assertIsNotNone(device.once("read", "GET", "/"))
        device.close()
        device.endpoint = ("127.0.0.1", 1)
        self.assertIsNone(device.once("read", "GET", "/"))
        self.assertEqual([bool(each.failure) for each in history.attempts], [False, True])


class Reading(DrillDevice):
    """A device whose server answers everything with the same bytes."""

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = Answer(status, {}, body)

    def persist(self, *_: object, **__: object) -> Answer:
        return self.answer


class Regions:
    """A system of one region, whose export is what a test says."""

    def __init__(self, files: dict[str, bytes], problem: str = "") -> None:
        self.files, self.problem = files, problem

    def s3_regions(self) -> list[str]:
        return ["eu"]

    def export(self, region: str, account: str, into: Path) -> str:
        del region, account
        for name, data in self.files.items():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_bytes(data)
        return self.problem


class Bytes(unittest.TestCase):
    """What was acknowledged, read back."""

    content = hashlib.sha256(b"bytes").hexdigest()

    def history(self) -> History:
        return History([Operation("put", "d", NAMESPACE, 0, 1, OK, "cell", "a", value=self.content, revision=1)])

    def verdict(self, status: int, body: bytes) -> str:
        return str(check_bytes(self.history(), {NAMESPACE: Reading(status, body)}, {self.content: self.content}))

    def test_the_same_bytes_hold_and_others_do_not(self) -> None:
        self.assertIn("holds", self.verdict(200, b"bytes"))
        self.assertIn("other bytes", self.verdict(200, b"bites"))
        self.assertIn("404", self.verdict(404, b""))

    def regions(self, files: dict[str, bytes], problem: str = "") -> str:
        journal = Journal(NAMESPACE, {1: Entry(1, "", "", "")})
        journal.states = [
            State("01" * 16, 1, 0, bytes(16), "cell", 0, ""),
            State("02" * 16, 1, 0, bytes.fromhex("01" * 16), "a", 1, self.content),
        ]
        with tempfile.TemporaryDirectory() as folder:
            system = Regions(files, problem)
            contents = {self.content: self.content}
            return str(check_regions(system, {NAMESPACE: "ada"}, {NAMESPACE: journal}, contents, Path(folder)))  # type: ignore[arg-type]

    def test_a_region_has_the_tree_of_the_journal_and_nothing_else(self) -> None:
        self.assertIn("holds", self.regions({"cell/a": b"bytes"}))
        for wrong in ({}, {"cell/a": b"bites"}, {"cell/a": b"bytes", "cell/b": b""}):
            self.assertIn("is not the file", self.regions(wrong))
        self.assertIn("a pack is gone", self.regions({"cell/a": b"bytes"}, "a pack is gone"))


class Questions(unittest.TestCase):
    """What is asked of a database, and which system there is."""

    def test_ids_are_written_as_each_database_wants_them(self) -> None:
        for style, literal in (("sqlite", f"X'{NAMESPACE}'"), ("postgresql", f"'\\x{NAMESPACE}'::bytea")):
            asked: list[str] = []
            read_journal(lambda question, asked=asked: asked.append(question) or [], NAMESPACE, style)
            self.assertEqual(len(asked), 2)
            self.assertTrue(all(literal in question for question in asked))

    def test_a_system_that_is_not_there_is_named(self) -> None:
        with self.assertRaises(SystemExit):
            system_named("no_such_module:System")


if __name__ == "__main__":
    unittest.main()
