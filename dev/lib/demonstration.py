"""The scenes of the demonstration: what two devices do, what it costs, and whether both hold the same afterwards."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass
from pathlib import Path

import dataset
from cairn import Device, Server, difference, ended
from measure import Meter
from proxy import Proxy

ACCOUNT, PASSWORD = "demo", "a password for the demo"
MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Size:
    """How much there is to see."""

    files: int
    budget: int
    large: int
    small: int
    room: int


FULL = Size(files=15_000, budget=600 * MIB, large=GIB, small=20_000, room=9 * 10**9)
SMALL = Size(files=1_000, budget=60 * MIB, large=64 * MIB, small=500, room=10**9)


def size(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


class Demonstration:
    """The server, the two devices, and what they do."""

    def __init__(self, folder: Path, programs: Path, measure: Size) -> None:
        self.size = measure
        self.programs = programs
        self.server = Server(folder / "server", programs)
        self.laptop = Device("laptop", folder / "home-laptop", programs, folder / "laptop")
        self.desk = Device("desk", folder / "home-desk", programs, folder / "desk")
        self.proxies: dict[str, Proxy] = {}
        self.failures: list[str] = []

    def play(self) -> None:
        """All scenes in a row."""
        for scene in (self.start, self.fill, self.first_sync, self.many_files, self.edit_both_sides):
            scene()
        for scene in (self.large_edit, self.rename_folder, self.conflict, self.crash, self.watch):
            scene()

    # The scenes

    def start(self) -> None:
        """A server with an account, and two devices that log in, each through a proxy that counts."""
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        for device in (self.laptop, self.desk):
            device.folder.mkdir()
            self.proxies[device.name] = Proxy(self.server.endpoint)
            device.login(self.proxies[device.name].url, ACCOUNT, PASSWORD)
        self.say(f"server at {self.server.url}, devices 'laptop' and 'desk' of the account '{ACCOUNT}'")

    def fill(self) -> None:
        """Real trees and one large file on the laptop."""
        count = dataset.copy_real_trees(self.laptop.folder, self.size.files, self.size.budget)
        dataset.make_random(self.laptop.folder / "large.bin", self.size.large)
        total = sum(path.lstat().st_size for path in self.laptop.folder.rglob("*"))
        self.say(f"the laptop's folder holds {count} entries of this machine and a large file: {size(total)}")

    def first_sync(self) -> None:
        """All of it, from one device to the server and on to the other."""
        self.timed("laptop, first sync", self.laptop)
        self.timed("desk, first sync", self.desk)
        self.check("both folders are the same")
        self.timed("laptop, nothing changed", self.laptop)

    def many_files(self) -> None:
        """Thousands of small files at once."""
        dataset.make_notes(self.laptop.folder / "many notes", self.size.small)
        self.timed(f"laptop, {self.size.small} small files added", self.laptop)
        self.timed("desk, they come down", self.desk)
        self.check("both folders are the same")

    def edit_both_sides(self) -> None:
        """Some files are edited, some renamed, some deleted, on both devices before either has heard of the other."""
        generator = random.Random(1)
        files = [path.relative_to(self.laptop.folder) for path in sorted(self.laptop.folder.glob("many notes/*/*"))]
        share = max(2, len(files) // 200)
        chosen = generator.sample(files, 6 * share)
        shares = [chosen[start : start + share] for start in range(0, len(chosen), share)]
        for device, (edited, renamed, deleted) in ((self.laptop, shares[:3]), (self.desk, shares[3:])):
            for path in edited:
                with (device.folder / path).open("a") as file:
                    file.write(f"a line from the {device.name}\n")
            for path in renamed:
                (device.folder / path).rename(
                    device.folder / path.with_name(f"renamed on the {device.name} {path.name}")
                )
            for path in deleted:
                (device.folder / path).unlink()
        self.timed(f"laptop, {share} each edited, renamed, deleted", self.laptop)
        self.timed("desk, as many others", self.desk)
        self.timed("laptop, the desk's come down", self.laptop)
        self.check("both folders are the same")
        for device in (self.laptop, self.desk):
            lines = [(device.folder / path).read_text() for path in shares[0] + shares[3]]
            self.expect(all("a line from the " in text for text in lines), f"the {device.name} has the edits of both")
            gone = not any((device.folder / path).exists() for part in (1, 2, 4, 5) for path in shares[part])
            self.expect(gone, f"what was renamed or deleted is gone from the {device.name}")

    def large_edit(self) -> None:
        """One byte of the large file."""
        with (self.laptop.folder / "large.bin").open("r+b") as file:
            file.seek(self.size.large // 2)
            file.write(b"!")
        self.timed(f"laptop, one byte in the middle of {size(self.size.large)}", self.laptop)
        self.timed("desk, the same byte comes down", self.desk)
        self.check("both folders are the same")

    def rename_folder(self) -> None:
        """A whole tree gets another name."""
        tree = next(path for path in sorted(self.desk.folder.iterdir()) if path.is_dir())
        count = sum(1 for _ in tree.rglob("*"))
        tree.rename(tree.with_name("renamed tree"))
        self.timed(f"desk, a folder with {count} entries renamed", self.desk)
        self.timed("laptop, the rename comes down", self.laptop)
        self.check("both folders are the same")

    def conflict(self) -> None:
        """One file is edited on both devices, and another made on both."""
        (self.laptop.folder / "notes.txt").write_text("before\n")
        self.timed("laptop, a note", self.laptop)
        self.timed("desk, the note comes down", self.desk)
        for device in (self.laptop, self.desk):
            (device.folder / "notes.txt").write_text(f"edited on the {device.name}\n")
            (device.folder / "made.txt").write_text(f"made on the {device.name}\n")
        self.timed("laptop, its versions", self.laptop)
        self.timed("desk, other versions of the same: all are kept", self.desk)
        self.timed("laptop, the second versions come down", self.laptop)
        self.check("both folders are the same")
        for stem, verb in (("notes", "edited"), ("made", "made")):
            kept = {path.read_text() for path in self.laptop.folder.glob(f"{stem}*")}
            wanted = {f"{verb} on the laptop\n", f"{verb} on the desk\n"}
            self.expect(kept == wanted, f"both versions of {stem}.txt were kept", repr(kept) if kept != wanted else "")

    def crash(self) -> None:
        """The server is killed in the middle of an upload, and the upload goes on where it was."""
        dataset.make_random(self.laptop.folder / "second.bin", self.size.large // 4, seed=2)
        with ended(self.laptop.start("sync", "--quiet", self.laptop.folder)):
            time.sleep(0.3)
            self.server.kill()
        self.server.start()
        self.say("the server was killed during an upload and started again")
        self.timed("laptop, the upload goes on", self.laptop)
        self.timed("desk, it comes down", self.desk)
        self.check("both folders are the same")

    def watch(self) -> None:
        """Both devices watch: how long it takes until an edit is visible on the other."""
        with ended(self.laptop.start("watch", "--quiet")), ended(self.desk.start("watch", "--quiet")):
            self._passing(0)
            times = sorted(self._passing(number) for number in range(1, 10))
            self.say(f"watching, a new file is on the other device after {times[4] * 1000:.0f} ms (median of 9)")
            self.expect(times[-1] < 60, "every watched edit arrived")
        for device in (self.laptop, self.desk, self.laptop):
            device.sync()
        self.check("both folders are the same")

    # What the scenes are made of

    def say(self, text: str) -> None:
        """A line, seen at once."""
        print(text, flush=True)

    def timed(self, what: str, device: Device) -> None:
        """Syncs a device and shows what it took."""
        proxy, before = self.proxies[device.name], self.proxies[device.name].traffic()
        meter = Meter(self.server.pid)
        usage = device.sync().usage
        server, moved = meter.stop(), proxy.traffic().since(before)
        self.say(
            f"  {what:50} {usage.wall:7.2f} s  up {size(moved.up):>9}  down {size(moved.down):>9}  "
            f"memory: client {size(usage.memory):>8}, server {size(server.memory):>8}"
        )

    def check(self, what: str) -> None:
        """Compares the two folders."""
        found = difference(self.laptop.folder, self.desk.folder)
        self.expect(not found, f"{what} (diff -r --no-dereference)", found[:2000])

    def expect(self, holds: bool, what: str, detail: str = "") -> None:
        """Notes whether something holds."""
        self.say(f"  {'holds' if holds else 'WRONG'}: {what}{': ' + detail if detail else ''}")
        if not holds:
            self.failures.append(what)

    def _passing(self, number: int) -> float:
        path = self.laptop.folder / f"watched-{number}.txt"
        other = self.desk.folder / path.name
        started = time.monotonic()
        path.write_text(f"edit {number}\n")
        while not other.exists() and time.monotonic() - started < 60:
            time.sleep(0.002)
        return time.monotonic() - started

    def stay(self) -> None:
        """Keeps both devices in sync until the user has seen enough."""
        client = self.programs / "cairn"
        self.say(
            f"""
Try it, in another terminal:
  {self.laptop.folder}   and   {self.desk.folder}   are in sync while this runs.
  CAIRN_HOME={self.desk.home} {client} status
  CAIRN_HOME={self.desk.home} {client} ls /
  curl {self.server.url}/health      curl {self.server.url}/metrics
The server's address is {self.server.url}, account '{ACCOUNT}', password '{PASSWORD}'.
Enter or Ctrl-C ends the demonstration and removes everything."""
        )
        with ended(self.laptop.start("watch", "--quiet")), ended(self.desk.start("watch", "--quiet")):
            with contextlib.suppress(KeyboardInterrupt):
                input()
