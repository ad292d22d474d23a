"""Kills a notification process with very many polls parked, and looks whether every device hears of every change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cairn import Server
from messages import MEDIA, listed, number
from notify_crowd import DEVICES, Group, Seat
from notify_load import NotifyLoad, build, wait_until
from notify_seed import gather, heads
from notify_server import NotifyProcess
from thin import Answer, ThinClient

ACCOUNTS = 20
# Over how long the crowd spreads when it first comes back.
SPREAD_MS = 4000
# A change that is not known so long after the last commit is lost.
KNOWN_WITHIN = 15.0
# What "at once" means for a device that is revoked.
REVOKED_WITHIN = 1.0
# From one commit to the next.
PACE = 0.02


@dataclass
class Report:
    """What the drill did, and what it found wrong."""

    polls: int = 0
    back: float = 0
    drained: float = 0
    refused: int = 0
    commits: int = 0
    revoked: float = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.polls} polls, all parked at the other process {self.back:.1f} s after kill -9, "
            f"{self.drained:.1f} s after a stop, {self.refused} refused for a while, "
            f"{self.commits} commits known to every device, a revoked device told after {self.revoked * 1000:.0f} ms"
        )


class Writer:
    """Commits in turn for every account, in a thread of its own, until it is stopped."""

    def __init__(self, groups: list[Group]) -> None:
        self.groups = groups
        self.commits = 0
        self.problems: list[str] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Waits for the last commit."""
        self._ends.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ends.wait(PACE) and len(self.problems) < 10:
            group = self.groups[self.commits % len(self.groups)]
            try:
                self.problems += problem_of_commit(group, self.commits)
            except OSError as error:
                self.problems.append(f"a commit of {group.name}: {error}")
            self.commits += 1


def author(group: Group) -> ThinClient:
    """The device of a group that writes."""
    assert group.author, f"nobody writes for {group.name}"
    return group.author


def problem_of_commit(group: Group, count: int) -> list[str]:
    """Commits a small file for an account; says if it was not taken."""
    answer = author(group).put(f"/note-{count % 50}.txt", f"{time.time_ns()}\n".encode())
    return [] if answer.status in (200, 201) else [f"a commit of {group.name}: {answer.status} {answer.detail}"]


class NotifyDrill:
    """The whole drill in one folder."""

    def __init__(self, folder: Path, programs: Path, polls: int, say: Callable[[str], None]) -> None:
        self.folder, self.polls, self.say = folder, polls, say
        self.report = Report(polls)
        self.server = Server(folder / "server", programs)
        self.processes = [NotifyProcess(folder / "server", programs, polls, name) for name in ("first", "second")]
        self.load: NotifyLoad | None = None
        self.groups: list[Group] = []

    def run(self) -> Report:
        """Every step; each leaves the whole crowd parked."""
        self._prepare()
        self._killed()
        self._bus_away()
        self._revoked()
        self._others_hear_nothing()
        self._worthless_tokens()
        self._drained()
        self._counters()
        return self.report

    def close(self) -> None:
        """Ends whatever still runs."""
        if self.load:
            self.load.close()
        for process in self.processes:
            process.kill()
        self.server.kill()

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.report.problems.append(problem)

    def _ask(self, *words: object) -> dict[str, Any]:
        assert self.load
        return self.load.ask(*words)

    def _devices(self, group: Group) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("devices", group.first, len(group.seats))["devices"]
        return found

    def _limit(self) -> float:
        return 60 + self.polls * 500e-6

    def _prepare(self) -> None:
        crowd = gather(self.server, self.folder, self.polls, ACCOUNTS)
        self.groups = crowd.groups
        self.crowd = crowd
        self.server.start()
        for process in self.processes:
            process.start()
        self.load = NotifyLoad(
            build(self.folder), crowd.table, key=crowd.key, version=crowd.key_version, patience_ms=SPREAD_MS
        )
        self._ask("servers", *(process.host for process in self.processes))
        parked = self._ask("park", 0, self.polls, self._limit())
        if not self._all_at(self.processes[0], self.polls):
            raise RuntimeError(f"not all could park at the start: {parked}")
        self.say(f"{self.polls} parked at the first process in {parked['seconds']:.1f} s")

    def _all_at(self, process: NotifyProcess, polls: int, moving: int = 0) -> bool:
        """Waits until a process holds the polls of everybody, but for those that a commit may just have woken."""
        return wait_until(lambda: polls - moving <= process.parked() <= polls, self._limit())

    def _all_come_to(self, process: NotifyProcess, polls: int, leave: Callable[[], None], when: str) -> float:
        """Lets the crowd leave while accounts commit; answers the seconds until all are parked where they should be."""
        writer = Writer(self.groups)
        time.sleep(1)
        started = time.monotonic()
        leave()
        there = self._all_at(process, polls, moving=len(self.groups) * DEVICES)
        seconds = time.monotonic() - started
        time.sleep(1)
        writer.stop()
        self.report.problems += writer.problems
        self.report.commits += writer.commits
        self._all_know(when)
        self._expect(
            there and self._all_at(process, polls), f"{when}: only {process.parked()} of {polls} are at the other one"
        )
        return seconds

    # Steps

    def _killed(self) -> None:
        """The first process dies while accounts commit; the crowd comes to the second."""
        first, second = self.processes
        self.report.back = self._all_come_to(second, self.polls, first.kill, "a process was killed")
        self.report.refused = self._ask("status")["refused"]
        self.say(f"all parked at the second process after {self.report.back:.1f} s, {self.report.refused} refused")

    def _bus_away(self) -> None:
        """The server dies and starts again: what it commits before the process hears from it again is not lost."""
        self.server.kill()
        self.server.start()
        for group in self.groups:
            author(group).endpoint = self.server.endpoint
            self.report.problems += problem_of_commit(group, 0)
            self.report.commits += 1
        self._all_know("the server was killed and started again")
        self.say("what was committed right after a new start of the server is known")

    def _all_know(self, when: str) -> None:
        """Every device of the accounts that committed has heard of the head."""
        expected = heads(self.server.data / "cairn.db", [group.namespace for group in self.groups])

        def behind() -> list[str]:
            return [
                f"{when}: {group.name}, device {at} knows {device['revision']} of {expected[group.namespace]}"
                for group in self.groups
                for at, device in enumerate(self._devices(group))
                if device["revision"] != expected[group.namespace]
            ]

        if not wait_until(lambda: not behind(), KNOWN_WITHIN):
            self.report.problems += behind()

    def _revoked(self) -> None:
        """A revoked device is told at once, and its token is good for nothing from then on; the others stay."""
        group = self.groups[0]
        started = time.monotonic_ns()
        answer = author(group).call("DELETE", f"/v1/devices/{group.seats[0].device.hex()}")
        self._expect(answer.status == 204, f"revoking a device: {answer.status} {answer.detail}")
        told = wait_until(lambda: self._devices(group)[0]["state"] == "ended", 10, pause=0.001)
        self._expect(told, "a revoked device is still parked after 10 s")
        if told:
            self.report.revoked = (self._devices(group)[0]["answered"] - started) / 1e9
            self._expect(
                self.report.revoked <= REVOKED_WITHIN, f"a revoked device was told after {self.report.revoked:.1f} s"
            )
        self._refused(self.processes[1])
        self._expect(
            [device["state"] for device in self._devices(group)[1:]] == ["parked", "parked"],
            "revoking one device ended the polls of others",
        )
        self.say(f"a revoked device was told after {self.report.revoked * 1000:.0f} ms")

    def _refused(self, process: NotifyProcess) -> None:
        """The revoked device shows a token whose time is not over."""
        group = self.groups[0]
        answer = self._poll(self._token(group.seats[0]), group, process)
        self._expect(answer.status == 401, f"{process.name}: a revoked device may poll: {answer.status}")

    def _others_hear_nothing(self) -> None:
        """A commit reaches the account's own devices alone; nobody may ask for a namespace of others."""
        own, *others = self.groups[1:]
        before = [device["answers"] for group in others for device in self._devices(group)]
        self.report.problems += problem_of_commit(own, 0)
        self.report.commits += 1
        self._all_know("one account committed")
        after = [device["answers"] for group in others for device in self._devices(group)]
        self._expect(before == after, "a commit was told to devices of other accounts")
        token = self._token(others[0].seats[0])
        answer = self._poll(token, own)
        self._expect(answer.status == 403, f"a poll for a namespace of another account: {answer.status}")
        self._expect(own.namespace not in answer.body, "the refusal tells of the namespace of another account")

    def _worthless_tokens(self) -> None:
        """What was signed by nobody, or is over, is refused."""
        group = self.groups[1]
        token = self._token(group.seats[0])
        for what, worthless in (
            ("a token with another signature", token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)),
            ("a token that is cut off", token[:-20]),
            ("a token whose time is over", self._token(group.seats[0], expires=int(time.time()) - 1)),
            ("no token", ""),
        ):
            answer = self._poll(worthless, group)
            self._expect(answer.status == 401, f"{what}: {answer.status}")
        issued = author(group).call("POST", "/v1/poll/token", b"", {"Content-Type": "application/json"})
        self._expect(issued.status == 200, f"POST /v1/poll/token: {issued.status} {issued.detail}")
        good = self._poll(str(issued.document.get("token")), group)
        self._expect(good.status == 200, f"a poll with a token of the server: {good.status} {good.detail}")

    def _drained(self) -> None:
        """The second process is asked to stop: it sends its crowd to the first, which is there again."""
        first, second = self.processes
        first.start()
        self._refused(first)
        # The account with the revoked device is done.
        self.groups = self.groups[1:]
        self.report.drained = self._all_come_to(
            first, self.polls - 1, lambda: second.stop(within=self._limit()), "a process was stopped"
        )
        self.say(f"all parked at the first process {self.report.drained:.1f} s after the second was asked to stop")

    def _counters(self) -> None:
        """What no device of the whole crowd may have met."""
        status = self._ask("status")
        self.report.refused = status["refused"]
        self._expect(status["foreign"] == 0, f"{status['foreign']} answers named a namespace of others")
        self._expect(status["forbidden"] == 0, f"{status['forbidden']} polls were forbidden")
        self._expect(status["unauthorized"] == 1, f"{status['unauthorized']} polls were unauthorized, not just one")

    # Polls by hand

    def _token(self, seat: Seat, expires: int = 0) -> str:
        return self.crowd.token(seat, expires or int(time.time()) + 300)

    def _poll(self, token: str, group: Group, process: NotifyProcess | None = None) -> Answer:
        """Asks for news of a group that has some: a good token is answered at once."""
        host, _, port = (process or self.processes[1]).host.rpartition(":")
        body = number(1) + listed([group.namespace + number(0)])
        return ThinClient((host, int(port)), token).call("POST", "/v1/poll", body, MEDIA)
