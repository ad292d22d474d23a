"""Lets writers meet at the same paths, and looks who won and what became of the others."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cairn import Device, Server, difference, ended
from journal import problems_of_journals
from thin import Answer, ThinClient

ACCOUNT, PASSWORD = "drill", "a password for the drill"
WRITERS = 8


@dataclass
class Report:
    """What the drill did, and what it found wrong."""

    rounds: int = 0
    races: int = 0
    conflicts: int = 0
    direct: int = 0
    commits: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {self.races} paths raced for by two devices, {self.conflicts} conflicted copies, "
            f"{self.direct} races of {WRITERS} direct writers, {self.commits} commits in the journal"
        )


class RaceDrill:
    """The whole drill in one folder."""

    def __init__(self, folder: Path, programs: Path, seed: int) -> None:
        self.generator = random.Random(seed)
        self.report = Report()
        self.server = Server(folder / "server", programs)
        self.devices = [Device(name, folder / f"home-{name}", programs, folder / name) for name in ("one", "two")]
        self.thin: list[ThinClient] = []

    def run(self, rounds: int) -> Report:
        """Plays the rounds, then looks at the journal."""
        self._prepare()
        kinds = [self._create, self._edit, self._edit_against_removal, self._rename, self._same_name]
        direct = [self._direct_create, self._direct_edit, self._direct_move]
        for number in range(rounds):
            kind = kinds[number % len(kinds)]
            kind(f"{kind.__name__.strip('_')}-{number}")
            direct[number % len(direct)](f"/direct-{number}")
            self.report.rounds += 1
            if len(self.report.problems) > 20:
                break
        self._settle("the end")
        self.server.stop()
        self.report.commits, problems = problems_of_journals(self.server.data / "cairn.db")
        self.report.problems += problems
        return self.report

    def close(self) -> None:
        """Ends whatever still runs."""
        self.server.kill()

    def _prepare(self) -> None:
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        for device in self.devices:
            device.folder.mkdir()
            device.login(self.server.url, ACCOUNT, PASSWORD)
            device.sync()
        # One device for each writer: they share nothing but the account.
        for number in range(WRITERS):
            client = ThinClient(self.server.endpoint)
            client.login(ACCOUNT, PASSWORD, f"writer {number}")
            self.thin.append(client)

    # Two devices

    def _race(self) -> None:
        """Both devices sync at the same time."""
        with ended(self.devices[0].start("sync", "--quiet", self.devices[0].folder)) as one:
            with ended(self.devices[1].start("sync", "--quiet", self.devices[1].folder)) as two:
                one.wait(120)
                two.wait(120)

    def _settle(self, what: str) -> None:
        """Brings both to the same state, and makes sure of it."""
        calm, deadline = 0, time.monotonic() + 60
        while calm < 4:
            for device in self.devices:
                finished = device.sync(check=False)
                calm = calm + 1 if finished.code == 0 else 0
                if time.monotonic() > deadline:
                    self.report.problems.append(f"{what}: not in sync within 60 s: {finished.output}{finished.errors}")
                    return
        if found := difference(self.devices[0].folder, self.devices[1].folder):
            self.report.problems.append(f"{what}: the devices differ: {found[:1000]}")

    def _paths(self, what: str) -> list[str]:
        return [f"{what}-{letter}.txt" for letter in "abc"]

    def _body(self, device: Device, path: str) -> bytes:
        return f"{device.name} {path} ".encode() + self.generator.randbytes(self.generator.choice([10, 1000, 200_000]))

    def _found(self, path: str) -> dict[str, bytes]:
        """Every file whose name begins as the path does, by name."""
        return {
            file.name: file.read_bytes()
            for file in self.devices[0].folder.glob(f"{Path(path).stem}*")
            if file.is_file()
        }

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.report.problems.append(problem)

    def _two_versions(self, what: str, bodies: dict[str, list[bytes]]) -> None:
        """One version of each file has the path, the other one a name that tells of the conflict."""
        for path, versions in bodies.items():
            found = self._found(path)
            self.report.races += 1
            copies = [name for name in found if "conflicted copy" in name]
            self.report.conflicts += len(copies)
            self._expect(found.get(path) in versions, f"{what}: {path} holds neither version")
            self._expect(
                sorted(found.values()) == sorted(versions),
                f"{what}: {path} became {sorted(found)}, not each version once",
            )
            self._expect(len(copies) == 1, f"{what}: {path} has {len(copies)} conflicted copies, not one")

    def _write_both(self, paths: list[str]) -> dict[str, list[bytes]]:
        bodies: dict[str, list[bytes]] = {path: [] for path in paths}
        for device in self.devices:
            for path in paths:
                body = self._body(device, path)
                (device.folder / path).write_bytes(body)
                bodies[path].append(body)
        return bodies

    def _shared(self, what: str) -> list[str]:
        """Files that both devices have."""
        paths = self._paths(what)
        for path in paths:
            (self.devices[0].folder / path).write_bytes(self._body(self.devices[0], path))
        self._settle(f"{what}, before")
        return paths

    def _create(self, what: str) -> None:
        bodies = self._write_both(self._paths(what))
        self._race()
        self._settle(what)
        self._two_versions(what, bodies)

    def _edit(self, what: str) -> None:
        bodies = self._write_both(self._shared(what))
        self._race()
        self._settle(what)
        self._two_versions(what, bodies)

    def _edit_against_removal(self, what: str) -> None:
        """An edit wins over a removal: the bytes that nobody had seen stay."""
        paths = self._shared(what)
        bodies = {path: self._body(self.devices[0], path) for path in paths}
        for path in paths:
            (self.devices[0].folder / path).write_bytes(bodies[path])
            (self.devices[1].folder / path).unlink()
        self._race()
        self._settle(what)
        for path in paths:
            self.report.races += 1
            self._expect(
                list(self._found(path).values()) == [bodies[path]], f"{what}: the edit of {path} is not kept once"
            )

    def _rename(self, what: str) -> None:
        """Two new names for one file: one of them wins, and it stays one file."""
        paths = self._shared(what)
        bodies = [(self.devices[0].folder / path).read_bytes() for path in paths]
        for device in self.devices:
            for path in paths:
                (device.folder / path).rename(device.folder / f"{Path(path).stem} by {device.name}.txt")
        self._race()
        self._settle(what)
        for path, body in zip(paths, bodies, strict=True):
            self.report.races += 1
            found = self._found(path)
            self._expect(list(found.values()) == [body], f"{what}: {path} became {sorted(found)}")
            self._expect(path not in found, f"{what}: {path} kept its old name")

    def _same_name(self, what: str) -> None:
        """Two files get the same name: both stay."""
        paths = self._shared(what)
        first, second = ((self.devices[0].folder / path).read_bytes() for path in paths[:2])
        target = f"{what}-target.txt"
        for device, path in zip(self.devices, paths[:2], strict=True):
            (device.folder / path).rename(device.folder / target)
        self._race()
        self._settle(what)
        self._two_versions(what, {target: [first, second]})

    # Many direct writers

    def _together(self, act: Callable[[int, ThinClient], Answer]) -> list[Answer]:
        """Every writer acts at the same moment."""
        answers: list[Answer | None] = [None] * WRITERS
        barrier = threading.Barrier(WRITERS)

        def work(number: int) -> None:
            barrier.wait()
            answers[number] = act(number, self.thin[number])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.report.direct += 1
        return [answer for answer in answers if answer]

    def _one_winner(self, what: str, answers: list[Answer], refused: set[int]) -> int | None:
        """The number of the writer that won; notes it when not exactly one did, or another was refused otherwise."""
        winners = [number for number, answer in enumerate(answers) if answer.status in (200, 201)]
        statuses = [answer.status for answer in answers]
        others = {status for status in statuses if status not in (200, 201)}
        self._expect(
            len(answers) == WRITERS and len(winners) == 1 and others <= refused,
            f"{what}: the writers were answered {statuses}",
        )
        return winners[0] if len(winners) == 1 else None

    def _direct_create(self, path: str) -> None:
        bodies = [self.generator.randbytes(3000) for _ in range(WRITERS)]
        answers = self._together(lambda number, client: client.put(path, bodies[number], {"If-None-Match": "*"}))
        winner = self._one_winner(f"creating {path}", answers, {412})
        if winner is not None:
            self._expect(self.thin[0].get(path).body == bodies[winner], f"{path} does not hold what its creator wrote")

    def _direct_edit(self, path: str) -> None:
        tag = self.thin[0].put(path, b"before").headers.get("etag", "")
        bodies = [self.generator.randbytes(3000) for _ in range(WRITERS)]
        answers = self._together(lambda number, client: client.put(path, bodies[number], {"If-Match": tag}))
        winner = self._one_winner(f"editing {path}", answers, {412})
        if winner is not None:
            self._expect(self.thin[0].get(path).body == bodies[winner], f"{path} does not hold what its editor wrote")

    def _direct_move(self, path: str) -> None:
        body = self.generator.randbytes(3000)
        self.thin[0].put(path, body)
        answers = self._together(lambda number, client: client.move(path, f"{path}-to-{number}"))
        winner = self._one_winner(f"moving {path}", answers, {404, 409})
        if winner is not None:
            self._expect(self.thin[0].get(f"{path}-to-{winner}").body == body, f"{path} is not where its mover put it")
