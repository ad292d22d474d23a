"""Writes versions without end while retention, collection and compaction run and the server is killed; then reads all back."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cairn import Server
from measure import run
from thin import Answer, ThinClient

ACCOUNT, PASSWORD = "drill", "a password for the drill"
# So little of the past stays that retention always has something to do.
POLICY = {"collapse": None, "max_versions": 6, "min_age": "1s", "keep_deleted": "5s"}
OPTIONS = ["--collect-interval", "1s", "--safety-window", "2s", "--pack-window", "1s", "--collect-rate", "512M"]
OPTIONS += ["--pack-size", "1M", "--scrub-rate", "1M"]
# What ended a moment ago goes to the archive at once, and comes back when it is asked for.
COLD = ["--archive-after", "4s", "--archive-keep", "0", "--archive-thaw-delay", "1s"]
FILES = 40
# What is stored at the end may be so much of what is needed.
MOST_STORED = 1.15


@dataclass
class Report:
    """What the drill did, and what it found wrong."""

    writes: int = 0
    kills: int = 0
    thinnings: int = 0
    collections: int = 0
    archivings: int = 0
    thawed: int = 0
    checked: int = 0
    gone: int = 0
    stored: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.writes} writes, {self.kills} kills, {self.thinnings} thinnings, {self.collections} collections and "
            f"{self.archivings} rounds of the archive by hand, "
            f"{self.thawed} versions thawed, {self.checked} kept versions read back, {self.gone} given up, {self.stored:.2f} of the ideal space"
        )


@dataclass
class Copy:
    """What was written to one path, kept apart: by revision where the server said it, and every attempt."""

    data: bytes = b""
    exists: bool = False
    # The state before the last request, when nobody knows whether that took effect.
    unsure: list[str] = field(default_factory=list)
    revisions: dict[int, str] = field(default_factory=dict)
    attempts: set[str] = field(default_factory=set)


class HistoryDrill:
    """The whole drill in one folder."""

    def __init__(self, folder: Path, programs: Path, seed: int, say: Callable[[str], None]) -> None:
        self.programs, self.say = programs, say
        self.generator = random.Random(seed)
        self.report = Report()
        self.archive = ["--archive", str(folder / "archive"), *COLD]
        self.server = Server(
            folder / "server",
            programs,
            regions=[folder / "region-1", folder / "region-2"],
            options=[*OPTIONS, *self.archive, "--archive-interval", "1s"],
        )
        self.copies = {f"/folder-{number % 4}/file-{number}": Copy() for number in range(FILES)}
        self.client = ThinClient(("", 0))

    def run(self, minutes: float) -> Report:
        """Rounds of load that each end with a kill, then the look at everything."""
        self._prepare()
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end and not self.report.problems:
            self._load(self.generator.uniform(1, 6))
            self.report.kills += 1
            if self.report.kills % 3 == 0:
                self._between()
            if self.report.kills % 10 == 0:
                self.say(f"{self.report}")
            self.server.start()
            self.client.endpoint = self.server.endpoint
        self._read_back()
        self._space()
        self._check("--full")
        return self.report

    def close(self) -> None:
        """Ends the server."""
        self.server.kill()

    def _command(self, *words: str, check: bool = True) -> str:
        finished = run([self.programs / "cairn-server", *words, "--data", self.server.data], check=False)
        if check and finished.code != 0:
            self.report.problems.append(f"{' '.join(words)}: exit {finished.code}: {finished.output}{finished.errors}")
        return finished.output

    def _regions(self) -> list[str]:
        return [word for region in self.server.regions for word in ("--region", str(region))]

    def _prepare(self) -> None:
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        policy = self.server.data.parent / "policy.json"
        policy.write_text(json.dumps(POLICY))
        self._command("retention", "set", ACCOUNT, str(policy))
        self.client.endpoint = self.server.endpoint
        answer = self.client.login(ACCOUNT, PASSWORD)
        if answer.status != 200:
            raise RuntimeError(f"the login was refused: {answer.status} {answer.detail}")
        for number in range(4):
            self.client.call("POST", f"/v1/folders/folder-{number}", b"")

    # Load

    def _load(self, seconds: float) -> None:
        """Writes until the server is killed in the middle; versions are thinned beside it."""
        killer = threading.Timer(seconds, self.server.kill)
        thinning = threading.Thread(target=self._thin, daemon=True)
        killer.start()
        thinning.start()
        while killer.is_alive():
            path = self.generator.choice(list(self.copies))
            try:
                self._write(path, self.copies[path])
            except OSError:
                continue
        thinning.join()
        killer.join()

    def _thin(self) -> None:
        self._command("retention", "apply")
        self.report.thinnings += 1

    def _write(self, path: str, copy: Copy) -> None:
        self._settle(path, copy)
        if copy.exists and self.generator.random() < 0.08:
            copy.unsure = [_name(copy.data), ""]
            answer = self.client.call("DELETE", "/v1/files" + path)
            if answer.status not in (200, 204):
                self.report.problems.append(f"DELETE {path}: {answer.status} {answer.detail}")
            copy.exists, copy.unsure = False, []
        else:
            data = self._edited(copy.data)
            name = _name(data)
            copy.unsure = [_name(copy.data) if copy.exists else "", name]
            copy.attempts.add(name)
            before = copy.data
            copy.data = data
            answer = self.client.call("PUT", "/v1/files" + path, data)
            if answer.status not in (200, 201):
                copy.data, copy.unsure = before, []
                self.report.problems.append(f"PUT {path}: {answer.status} {answer.detail}")
                return
            copy.revisions[int(str(answer.document["revision"]))] = name
            copy.exists, copy.unsure = True, []
        self.report.writes += 1

    def _settle(self, path: str, copy: Copy) -> None:
        """After a kill: what the server has is one of the two states that it may have."""
        if not copy.unsure:
            return
        answer = self.client.get(path)
        found = _name(answer.body) if answer.status == 200 else "" if answer.status == 404 else str(answer.status)
        if found not in copy.unsure:
            self.report.problems.append(f"{path}: {found or 'nothing'} is there, not one of {copy.unsure}")
        copy.exists, copy.unsure = answer.status == 200, []
        copy.data = answer.body if copy.exists else b""

    def _edited(self, data: bytes) -> bytes:
        """Mostly a small change; sometimes something new, or what another file has."""
        chance = self.generator.random()
        if not data or chance < 0.15:
            return self.generator.randbytes(int(self.generator.paretovariate(0.6) * 1000) % 1_500_000)
        if chance < 0.25:
            return self.generator.choice([copy.data for copy in self.copies.values()])
        place = self.generator.randrange(len(data))
        change = self.generator.randbytes(self.generator.randrange(1, 5000))
        return data[:place] + change + data[place + self.generator.randrange(0, 5000) :]

    # Between two starts, and at the end

    def _between(self) -> None:
        """While it is stopped: a collection that lets nothing wait, and a look at the whole."""
        self._command("archive", "run", *self.archive, *self._regions())
        self.report.archivings += 1
        self._command("collect", "--now", *self._regions())
        self.report.collections += 1
        self._check()

    def _check(self, *more: str) -> None:
        """Nothing may be damaged; what nothing names is no damage."""
        self._command("fsck", *more, *self._regions())

    def _read_back(self) -> None:
        """Every version that is shown as kept has the bytes that were written then."""
        found: list[tuple[str, Copy, dict[str, object]]] = []
        for path, copy in self.copies.items():
            self._settle(path, copy)
            now = self.client.get(path)
            if (now.status == 200) != copy.exists or copy.exists and now.body != copy.data:
                self.report.problems.append(f"{path}: status {now.status}, not what was written last")
            found += [(path, copy, entry) for entry in self._history(path, copy)]
        # All are asked for first, so that what lies in the archive thaws together.
        for path, _, entry in found:
            if entry["kept"] and "deleted" not in str(entry["changes"]):
                answer = self.client.call("GET", f"/v1/files{path}?at={entry['revision']}")
                self.report.thawed += answer.code == "thawing"
        for path, copy, entry in found:
            self._read_version(path, copy, entry)

    def _history(self, path: str, copy: Copy) -> list[dict[str, object]]:
        """What the server says of the versions at a path."""
        history = self.client.call("GET", f"/v1/history{path}?all=true&limit=1000")
        if history.status == 404 and not copy.revisions:
            return []
        if history.status != 200:
            self.report.problems.append(f"the history of {path}: {history.status} {history.detail}")
            return []
        nodes = history.document["nodes"]
        assert isinstance(nodes, list)
        return [entry for node in nodes for entry in node["entries"]]

    def _read_version(self, path: str, copy: Copy, entry: dict[str, object]) -> None:
        if "deleted" in str(entry["changes"]):
            return
        revision = int(str(entry["revision"]))
        answer = self._thawed(f"/v1/files{path}?at={revision}")
        kept = entry["kept"]
        if kept and answer.status == 410:
            # The server itself may have thinned it since it was asked.
            kept = any(str(version["revision"]) == str(revision) and version["kept"] for version in self._history(path, copy))
        if not kept:
            self.report.gone += 1
            if answer.status != 410:
                self.report.problems.append(f"{path}@{revision} is not kept, and answers {answer.status}")
            return
        self.report.checked += 1
        wanted = copy.revisions.get(revision)
        if answer.status != 200 or (_name(answer.body) != wanted if wanted else _name(answer.body) not in copy.attempts):
            self.report.problems.append(f"{path}@{revision}: status {answer.status}, {len(answer.body)} bytes, not what was written")

    def _thawed(self, path: str) -> Answer:
        """Reads what may lie in the archive: asks until it is there, but not for ever."""
        answer = self.client.call("GET", path)
        for _ in range(60):
            if answer.code != "thawing":
                break
            time.sleep(0.5)
            answer = self.client.call("GET", path)
        return answer

    def _space(self) -> None:
        """After a last collection, the packs hold little more than what is needed."""
        time.sleep(2)
        self._thin()
        self.server.stop()
        for _ in range(3):
            self._command("collect", "--now", *self._regions())
        usage = json.loads(self._command("usage", ACCOUNT, "--json"))
        status = dict(line.split("\t")[:2] for line in self._command("archive", "status").splitlines())
        # What lies in the archive is no part of the packs.
        needed = int(usage["sealed_bytes"]) - int(status["bytes"])
        for region in self.server.regions:
            stored = sum(file.stat().st_size for file in region.rglob("*.pack"))
            self.report.stored = max(self.report.stored, stored / max(1, needed))
        if self.report.stored > MOST_STORED:
            self.report.problems.append(f"the packs hold {self.report.stored:.2f} times what is needed")


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
