"""How many bytes travel for one change, counted outside the programs, beside what rsync sends for the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import dataset
import large_data
from cairn import Device, Server, difference
from figures import Figures, count
from measure import run
from peers import RsyncDaemon
from proxy import Proxy, Traffic

ACCOUNT, PASSWORD = "bench", "a password for the bench"
MIB, GIB = 1 << 20, 1 << 30
# docs/format.md: the longest block, and pages of at most 256 entries of 36 bytes, a few of them on each of the levels
# of 1 GiB.
LONGEST_BLOCK, PAGES = 512 * 1024, 8 * 256 * 36


class WireBench:
    """One server, two devices behind a proxy each, and one change after the other."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, scale: float, say: Callable[[str], None]
    ) -> None:
        self.folder, self.figures, self.scale, self.say = folder, figures, scale, say
        self.server = Server(folder / "server", programs)
        self.one = Device("one", folder / "home-one", programs, folder / "one")
        self.two = Device("two", folder / "home-two", programs, folder / "two")
        self.proxies: dict[str, Proxy] = {}
        self.rsync = RsyncDaemon(folder / "rsync") if shutil.which("rsync") else None

    def run(self, only: str = "") -> None:
        """Every row whose name holds a word."""
        self.server.start()
        self.server.add_account(ACCOUNT, PASSWORD)
        for device in (self.one, self.two):
            device.folder.mkdir()
            self.proxies[device.name] = Proxy(self.server.endpoint)
            device.login(self.proxies[device.name].url, ACCOUNT, PASSWORD)
        self._both()
        rows = [self.one_byte_changed_and_one_inserted, self.six_large_files, self.hundred_files, self.renamed_folder]
        for row in [*rows, self.appended, self.english_text]:
            if only in row.__name__.replace("_", " "):
                row()

    def close(self) -> None:
        """Ends what runs."""
        self.server.kill()
        if self.rsync:
            self.rsync.stop()

    # How a row is measured

    def _sync(self, device: Device) -> Traffic:
        proxy = self.proxies[device.name]
        before = proxy.traffic()
        device.sync()
        return proxy.traffic().since(before)

    def _both(self) -> tuple[Traffic, Traffic]:
        """From the first device to the second: what each of them sent and received."""
        traffic = self._sync(self.one), self._sync(self.two)
        if found := difference(self.one.folder, self.two.folder):
            raise RuntimeError(f"the devices differ: {found[:1000]}")
        return traffic

    def _note(self, row: str, one: Traffic, two: Traffic) -> None:
        for device, traffic in (("sender", one), ("receiver", two)):
            self.figures.add(row, f"{device} up", traffic.up, "B")
            self.figures.add(row, f"{device} down", traffic.down, "B")
        self.say(f"{row}: sender {one.up} up, {one.down} down; receiver {two.up} up, {two.down} down")

    def _bounded(self, row: str, one: Traffic, two: Traffic) -> None:
        """Two blocks, the splice of the recipe and 16 KiB are the most that one byte may cost, up and down."""
        bound = 2 * LONGEST_BLOCK + PAGES + 16 * 1024
        for name, moved in (("up", one.up), ("down", two.down)):
            if moved > bound:
                raise RuntimeError(f"{row}: {moved} bytes {name}, more than {bound}")

    def _beside_rsync(self, row: str, old: Path, new: Path, ours: float) -> None:
        """What rsync sends for the same change, both ways, and our bytes (of the sender) as a part of it."""
        if not self.rsync:
            return
        sent = self.rsync.bytes_for(old, new)
        self.figures.add(row, "rsync -z, both ways", sent, "B")
        self.figures.add(row, "ratio to rsync -z", ours / sent, "x")

    def _forget(self, *names: str) -> None:
        """Takes files away again, so that the next row does not find their blocks on the receiver's disk."""
        for name in names:
            path = self.one.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.one.sync("--confirm-deletions")
        self.two.sync()

    # The rows

    def one_byte_changed_and_one_inserted(self) -> None:
        """A gigabyte that nobody can compress."""
        path = self.one.folder / "random.bin"
        size = int(GIB * self.scale)
        dataset.make_random(path, size)
        self._both()
        old = self.folder / "old.bin"
        shutil.copyfile(path, old)
        with path.open("r+b") as file:
            file.seek(size // 2)
            byte = file.read(1)
            file.seek(size // 2)
            file.write(bytes([byte[0] ^ 1]))
        row = f"1 byte changed in the middle of {count(size)}"
        one, two = self._both()
        self._bounded(row, one, two)
        self._note(row, one, two)
        self._beside_rsync(row, old, path, one.up + one.down)
        shutil.copyfile(path, old)
        inserted = path.with_suffix(".new")
        with inserted.open("wb") as file, old.open("rb") as source:
            file.write(b"!")
            shutil.copyfileobj(source, file, MIB)
        inserted.replace(path)
        row = f"1 byte inserted at the start of {count(size)}"
        one, two = self._both()
        self._bounded(row, one, two)
        self._note(row, one, two)
        self._beside_rsync(row, old, path, one.up + one.down)
        old.unlink()
        self._forget(path.name)

    def six_large_files(self) -> None:
        """Edits of six kinds of large file, each by itself."""
        before, after = self.folder / "before", self.folder / "after"
        large_data.make_large(before, self.scale)
        dataset.copy_tree(before, after)
        large_data.edit_large(after, self.scale)
        shutil.copytree(before, self.one.folder / "large")
        self._both()
        for file in sorted(after.iterdir()):
            row = f"{file.name}, {file.stat().st_size // 10**6} MB, edited"
            shutil.copyfile(file, self.one.folder / "large" / file.name)
            one, two = self._both()
            self._note(row, one, two)
            self._beside_rsync(row, before / file.name, file, one.up + one.down)
        self._forget("large")
        shutil.rmtree(before)
        shutil.rmtree(after)

    def hundred_files(self) -> None:
        """A hundred files of 1 KB that can't be compressed."""
        generator = random.Random(3)
        folder = self.one.folder / "hundred"
        folder.mkdir()
        for number in range(100):
            (folder / f"file-{number:03}").write_bytes(generator.randbytes(1000))
        row = "100 files of 1 KB, created together"
        one, two = self._both()
        self._note(row, one, two)
        self.figures.add(row, "sender's traffic by data", (one.up + one.down) / 100_000, "x")
        if self.rsync:
            empty = self.folder / "empty"
            empty.mkdir(exist_ok=True)
            self.figures.add(row, "rsync -z, both ways", self.rsync.bytes_for(empty, folder), "B")
        self._forget("hundred")

    def renamed_folder(self) -> None:
        """A folder of a thousand files gets another name."""
        dataset.make_notes(self.one.folder / "thousand", 1000, seed=4)
        self._both()
        (self.one.folder / "thousand").rename(self.one.folder / "renamed")
        row = "a folder of 1,000 files renamed"
        one, two = self._both()
        self._note(row, one, two)
        self.figures.add(row, "in all", one.up + one.down + two.up + two.down, "B")
        self._forget("renamed")

    def appended(self) -> None:
        """X KB appended again and again to a file of 1 MB: the worst X counts."""
        generator = random.Random(5)
        worst = 0.0
        for kilobytes in (1, 4, 16, 64):
            path = self.one.folder / "growing.bin"
            path.write_bytes(generator.randbytes(10**6))
            self._both()
            moved = 0
            for _ in range(8):
                with path.open("ab") as file:
                    file.write(generator.randbytes(kilobytes * 1000))
                traffic = self._sync(self.one)
                moved += traffic.up + traffic.down
            ratio = moved / (8 * kilobytes * 1000)
            worst = max(worst, ratio)
            self.figures.add(f"{kilobytes} KB appended to 1 MB, 8 times", "sender's traffic by data", ratio, "x")
            self.say(f"{kilobytes} KB appended: {ratio:.2f}")
            self._forget("growing.bin")
        self.figures.add("appended, the worst of these", "sender's traffic by data", worst, "x")

    def english_text(self) -> None:
        """Ten megabytes of text, new."""
        text = b"\n".join(
            path.read_bytes() for path in dataset.real_files(4_000, 200_000) if path.suffix in ("", ".txt", ".html")
        )
        path = self.one.folder / "text.txt"
        path.write_bytes(text[: 10 * 10**6])
        row = f"{path.stat().st_size / 1e6:.0f} MB of text, new"
        one, two = self._both()
        self._note(row, one, two)
        if shutil.which("zstd"):
            packed = int(run(["sh", "-c", 'zstd -3 -c "$1" | wc -c', "sh", path]).output)
            self.figures.add(row, "ratio to zstd -3", one.up / packed, "x")
        self._forget("text.txt")
