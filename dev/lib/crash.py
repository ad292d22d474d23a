"""Kills the server, then the clients, at random moments under load, and looks for what was lost."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cairn import Device, Server, difference
from journal import problems_of_journals
from workload import OwnTree, Tokens

ACCOUNT, PASSWORD = "drill", "a password for the drill"


@dataclass
class Report:
    """What the drill did, and what it found wrong."""

    server_kills: int = 0
    client_kills: int = 0
    syncs: int = 0
    puts: int = 0
    edits: int = 0
    lines: int = 0
    commits: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.server_kills} server kills, {self.client_kills} client kills, {self.edits} edits, "
            f"{self.syncs} syncs, {self.lines} lines and {self.puts} puts acknowledged, "
            f"{self.commits} commits"
        )


class Writer:
    """One device with its edits. Subclasses say how it syncs."""

    def __init__(self, device: Device, shadow: Path, seed: int) -> None:
        self.device = device
        self.own = OwnTree(device.folder / f"of {device.name}", shadow, random.Random(seed))
        self.tokens = Tokens(device.folder / "shared", device.name, random.Random(seed + 1))
        self.generator = random.Random(seed + 2)
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = threading.Lock()

    def edit(self) -> None:
        """Some edits in a row."""
        for _ in range(self.generator.randrange(1, 6)):
            self.own.edit()
            self.tokens.edit()

    def kill(self) -> bool:
        """Kills the command that runs at this moment; false when none does."""
        with self.lock:
            if not self.process or self.process.poll() is not None:
                return False
            self.process.kill()
        return True

    def execute(self, *arguments: str | Path) -> int:
        """Runs a command that `kill` may end at any moment."""
        with self.lock:
            self.process = self.device.start(*arguments)
        return self.process.wait()


class Syncing(Writer):
    """Edits, then `cairn sync`, again and again; and now and then `cairn put` of a file that nothing else touches."""

    def __init__(self, device: Device, shadow: Path, seed: int, scratch: Path) -> None:
        super().__init__(device, shadow, seed)
        self.scratch = scratch
        self.syncs = 0
        self.puts: dict[str, bytes] = {}

    def step(self) -> None:
        """One round."""
        self.edit()
        tokens = self.tokens.visible()
        if self.execute("sync", "--quiet", self.device.folder) == 0:
            self.syncs += 1
            self.tokens.acknowledge(tokens)
        if self.generator.random() < 0.5:
            self.put()

    def put(self) -> bool:
        """Puts a new file on the server by its path, and notes it if that was acknowledged."""
        name = f"put-{self.device.name}-{self.generator.getrandbits(48):012x}"
        data = self.generator.randbytes(self.generator.choice([10, 5_000, 300_000, 2_000_000]))
        (self.scratch / name).write_bytes(data)
        if self.execute("put", self.scratch / name, f"/puts/{name}") == 0:
            self.puts[name] = data
        (self.scratch / name).unlink()
        return name in self.puts


class Watching(Writer):
    """Edits beside a `cairn watch` that is started again whenever it ends."""

    def step(self) -> None:
        """One round."""
        with self.lock:
            if not self.process or self.process.poll() is not None:
                self.process = self.device.start("watch", "--quiet")
        self.edit()
        time.sleep(self.generator.uniform(0.05, 0.4))

    def stop(self) -> None:
        """Ends the watcher as a user would."""
        with self.lock:
            if self.process and self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(60)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    raise RuntimeError("cairn watch does not stop at SIGTERM") from None


class CrashDrill:
    """The whole drill in one folder."""

    def __init__(self, folder: Path, programs: Path, seed: int, say: Callable[[str], None]) -> None:
        self.generator = random.Random(seed)
        self.report = Report()
        self.say = say
        self.server = Server(folder / "server", programs, regions=[folder / "region-1", folder / "region-2"])
        self.first = Device("first", folder / "home-first", programs, folder / "first")
        self.second = Device("second", folder / "home-second", programs, folder / "second")
        scratch = folder / "scratch"
        for path in (self.first.folder, self.second.folder, scratch):
            path.mkdir()
        self.syncing = Syncing(self.first, folder / "shadow-first", seed * 10, scratch)
        self.watching = Watching(self.second, folder / "shadow-second", seed * 10 + 5)
        self._stop = threading.Event()
        self._failures: list[BaseException] = []

    def run(self, kills: int) -> Report:
        """Kills the server and then the clients, each `kills` times; then looks."""
        self._prepare()
        threads = [threading.Thread(target=self._loop, args=(writer,)) for writer in (self.syncing, self.watching)]
        for thread in threads:
            thread.start()
        try:
            self._kill_server(kills)
            self._kill_clients(kills)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
            self.report.syncs = self.syncing.syncs
            self.report.edits = self.syncing.own.edits + self.watching.own.edits
            self.report.lines = len(self.syncing.tokens.acknowledged)
        self.report.problems += [f"a writer failed: {failure!r}" for failure in self._failures]
        self.watching.stop()
        # With nobody killing any more a put has to succeed, else the drill would have looked for nothing.
        if not self.syncing.put():
            self.report.problems.append("cairn put fails although nothing is killed any more")
        self.report.puts = len(self.syncing.puts)
        self._settle()
        self._look()
        self.server.stop()
        self.report.commits, problems = problems_of_journals(self.server.data / "cairn.db")
        self.report.problems += problems
        return self.report

    def close(self) -> None:
        """Ends whatever still runs."""
        self._stop.set()
        for writer in (self.syncing, self.watching):
            writer.kill()
        self.server.kill()

    def _prepare(self) -> None:
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        for device in (self.first, self.second):
            device.login(self.server.url, ACCOUNT, PASSWORD)
        self.first.run("mkdir", "/puts")
        for device in (self.first, self.second, self.first):
            device.sync(check=False)

    def _loop(self, writer: Syncing | Watching) -> None:
        try:
            while not self._stop.is_set():
                writer.step()
        except BaseException as failure:  # noqa: BLE001 - it is reported by the thread that waits
            self._failures.append(failure)
            self._stop.set()

    def _kill_server(self, kills: int) -> None:
        for number in range(kills):
            if self._stop.wait(self.generator.uniform(0.0, 0.8)):
                return
            self.server.kill()
            self.report.server_kills += 1
            self.server.start()
            if number % 20 == 19:
                self.say(
                    f"{number + 1} server kills, {self.syncing.syncs} syncs, {len(self.syncing.puts)} puts acknowledged"
                )

    def _kill_clients(self, kills: int) -> None:
        while self.report.client_kills < kills:
            if self._stop.wait(self.generator.uniform(0.01, 0.5)):
                return
            writer = self.generator.choice([self.syncing, self.watching])
            if writer.kill():
                self.report.client_kills += 1
                if self.report.client_kills % 20 == 0:
                    self.say(f"{self.report.client_kills} client kills, {self.syncing.syncs} syncs acknowledged")

    def _settle(self) -> None:
        """Syncs both devices in turn until both say that nothing is left to do: each fetches what the other sends."""
        deadline = time.monotonic() + 180
        while True:
            finished = [device.sync(check=False) for device in (self.first, self.second)]
            if all(device.run("status", check=False).code == 0 for device in (self.first, self.second)):
                return
            if time.monotonic() > deadline:
                text = "".join(each.output + each.errors for each in finished)[-1500:]
                self.report.problems.append(f"the devices do not get in sync within 180 s:\n{text}")
                return

    # What has to hold in the end

    def _look(self) -> None:
        problems = self.report.problems
        if found := difference(self.first.folder, self.second.folder):
            problems.append(f"the devices differ:\n{found[:3000]}")
        for writer in (self.syncing, self.watching):
            for device in (self.first, self.second):
                tree = device.folder / f"of {writer.device.name}"
                if found := difference(writer.own.shadow, tree):
                    problems.append(f"{device.name} does not have what {writer.device.name} wrote:\n{found[:3000]}")
                problems += self._wrong_modes(writer.own.shadow, tree)
        self._look_for_tokens()
        self._look_for_puts()
        self._look_for_leftovers()

    def _wrong_modes(self, shadow: Path, tree: Path) -> list[str]:
        wrong = []
        for path in shadow.rglob("*"):
            copy = tree / path.relative_to(shadow)
            if path.is_file() and not path.is_symlink() and copy.is_file():
                if bool(path.stat().st_mode & 0o100) != bool(copy.stat().st_mode & 0o100):
                    wrong.append(f"{copy} has not the mode of {path}")
        return wrong

    def _look_for_tokens(self) -> None:
        for device in (self.first, self.second):
            there = Tokens(device.folder / "shared", "", random.Random(0)).visible()
            if lost := self.syncing.tokens.acknowledged - there:
                self.report.problems.append(f"{device.name} lacks {len(lost)} acknowledged lines: {sorted(lost)[:10]}")

    def _look_for_puts(self) -> None:
        for name, data in self.syncing.puts.items():
            for device in (self.first, self.second):
                path = device.folder / "puts" / name
                if not path.is_file() or path.read_bytes() != data:
                    self.report.problems.append(f"{device.name} has not the acknowledged {name}")

    def _look_for_leftovers(self) -> None:
        for device in (self.first, self.second):
            staged = [path for path in device.folder.rglob(".cairn-*") for path in [path, *path.rglob("*")]]
            self.report.problems += [f"left behind: {path}" for path in staged if not path.is_dir()]
        for base in (self.server.data, *self.server.regions, self.first.home, self.second.home):
            for path in base.rglob("*"):
                if path.suffix in (".tmp", ".part", ".partial", ".new") or path.name.startswith((".tmp", "tmp")):
                    self.report.problems.append(f"left behind: {path}")
