"""What the programs must refuse, and how they must fail: every case by itself, against the real programs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cairn import Device, Server, difference
from measure import CommandFailed, Finished
from thin import Answer, ThinClient

ACCOUNT, PASSWORD = "drill", "a password for the drill"


class Wrong(Exception):
    """Something does not hold."""


class Skipped(Exception):
    """The case can't be played here, and why."""


def require(holds: bool, what: str) -> None:
    """Ends the case when something does not hold."""
    if not holds:
        raise Wrong(what)


def one_line(text: str) -> str:
    """The last line of what a program said, cut in the middle to what a person reads."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in (lines[-1] if lines else ""))
    return text if len(text) <= 180 else f"{text[:60]} … {text[-110:]}"


@contextlib.contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[None]:
    """Mounts something for the time of a block."""
    if os.geteuid() != 0:
        raise Skipped("mounting needs root")
    place.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mount", *arguments, str(place)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Skipped(f"can't mount here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def small_disk(place: Path, megabytes: int) -> contextlib.AbstractContextManager[None]:
    """A disk of a few megabytes."""
    return mounted(place, "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "cairn-drill")


def grow(place: Path, megabytes: int) -> None:
    """Gives a small disk more room."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(place)], check=True)


class World:
    """A server and devices for one case, in a folder of its own."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.programs = programs
        self.server = Server(folder / "server", programs)

    def serve(self) -> None:
        """Starts the server with its account."""
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)

    def device(self, name: str, folder: Path | None = None) -> Device:
        """A device that is logged in and has an empty folder."""
        device = Device(name, self.folder / f"home-{name}", self.programs, folder or self.folder / name)
        device.folder.mkdir(exist_ok=True)
        device.login(self.server.url, ACCOUNT, PASSWORD)
        return device

    def thin(self) -> ThinClient:
        """A client that speaks HTTP by hand."""
        client = ThinClient(self.server.endpoint)
        client.login(ACCOUNT, PASSWORD)
        return client

    def in_sync(self, *devices: Device) -> None:
        """Syncs devices until nothing is left to do, and makes sure that they hold the same."""
        for _ in range(2):
            for device in devices:
                finished = device.sync(check=False)
        for device in devices:
            finished = device.sync(check=False)
            require(finished.code == 0, f"{device.name} does not get in sync: {finished.output}{finished.errors}")
        for device in devices[1:]:
            found = difference(devices[0].folder, device.folder)
            require(not found, f"{devices[0].name} and {device.name} differ: {found[:500]}")


def refused(finished: Finished, code: int, *words: str) -> str:
    """A command has to fail by itself with a code and to name things; answers what it said."""
    said = finished.errors + finished.output
    require(finished.code == code and code > 0, f"ended with {finished.code}, not {code}: {said.strip()[-500:]}")
    for word in words:
        require(word.lower() in said.lower(), f"does not say '{word}': {said.strip()[-500:]}")
    return f"exit {code}: {one_line(finished.errors or finished.output)}"


def answered(answer: Answer, status: int, code: str, *words: str) -> str:
    """A request has to be refused with a status and a code, and to name things; answers what was said."""
    said = answer.body.decode(errors="replace")
    require(answer.status == status, f"answered {answer.status}, not {status}: {said[:500]}")
    require(answer.code == code, f"the problem is '{answer.code}', not '{code}': {said[:500]}")
    for word in words:
        require(word.lower() in answer.detail.lower(), f"does not say '{word}': {said[:500]}")
    return f"{status} {code}: {one_line(answer.detail)}"


Case = Callable[[World], str]


@dataclass
class Report:
    """How the cases went."""

    held: int = 0
    failed: int = 0
    skipped: int = 0


class FaultsDrill:
    """All cases, each in a folder below one."""

    def __init__(self, folder: Path, programs: Path, say: Callable[[str], None]) -> None:
        self.folder, self.programs, self.say = folder, programs, say

    def run(self, only: str = "") -> Report:
        """Plays the cases whose name holds a word."""
        import fault_disk
        import fault_input

        report = Report()
        for case in [*fault_input.CASES, *fault_disk.CASES]:
            name = case.__name__.replace("_", " ")
            if only in name:
                self._play(case, name, report)
        return report

    def _play(self, case: Case, name: str, report: Report) -> None:
        place = self.folder / case.__name__
        place.mkdir()
        world = World(place, self.programs)
        try:
            said = case(world)
            report.held += 1
            self.say(f"holds    {name}: {said}")
        except Skipped as reason:
            report.skipped += 1
            self.say(f"skipped  {name}: {reason}")
        except (Wrong, CommandFailed, RuntimeError) as problem:
            report.failed += 1
            self.say(f"WRONG    {name}: {problem}")
        except Exception:  # noqa: BLE001 - the other cases have to be played all the same
            report.failed += 1
            self.say(f"WRONG    {name}: {traceback.format_exc()}")
        finally:
            world.server.kill()
