"""What a user would pick instead, on the same data: restic, borg, rsync, Syncthing. Each is fresh in its own folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as xml
from pathlib import Path

from measure import Usage, peak_memory, processor_seconds, run
from proxy import Proxy


def free_port() -> int:
    """A port of the loopback that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def digest_of_output(words: list[str], environment: dict[str, str]) -> str:
    """The SHA-256 of what a program writes, which may be more than fits in memory."""
    with subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        digest = hashlib.file_digest(process.stdout, "sha256").hexdigest()  # type: ignore[arg-type]
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}")
    return digest


class Restic:
    """A repository in a folder."""

    name = "restic backup"
    program = "restic"

    def __init__(self, folder: Path) -> None:
        self.environment = os.environ | {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": str(folder / "cache")}
        self.repository = folder / "repository"
        self._snapshots: list[str] = []
        run(["restic", "init", "--quiet", "--repo", self.repository], env=self.environment)

    def store(self, source: Path) -> Usage:
        """Backs a folder up."""
        return run(["restic", "backup", "--quiet", "--repo", self.repository, source], env=self.environment).usage

    def digest(self, number: int, file: Path) -> str:
        """The SHA-256 of a file as the backup of a number has it, from 0 on; all backups are kept."""
        if len(self._snapshots) <= number:
            listed = run(["restic", "snapshots", "--json", "--repo", self.repository], env=self.environment).output
            self._snapshots = [entry["id"] for entry in sorted(json.loads(listed), key=lambda entry: entry["time"])]
        words = ["restic", "dump", "--quiet", "--repo", str(self.repository), self._snapshots[number], str(file)]
        return digest_of_output(words, self.environment)

    def compact(self) -> None:
        """Writes packs anew that hold what nothing needs."""
        run(["restic", "prune", "--quiet", "--repo", self.repository], env=self.environment)

    def close(self) -> None:
        """There is nothing to end."""


class Borg:
    """A repository in a folder, with the compression that is nearest to ours."""

    name = "borg create, zstd 1"
    program = "borg"

    def __init__(self, folder: Path) -> None:
        self.environment = os.environ | {"BORG_PASSPHRASE": "x", "BORG_BASE_DIR": str(folder / "base")}
        self.repository = folder / "repository"
        self.number = 0
        folder.mkdir(parents=True, exist_ok=True)
        run(["borg", "init", "--encryption", "repokey-blake2", self.repository], env=self.environment)

    def store(self, source: Path) -> Usage:
        """Backs a folder up."""
        self.number += 1
        archive = f"{self.repository}::{self.number}"
        return run(["borg", "create", "--compression", "zstd,1", archive, source], env=self.environment).usage

    def digest(self, number: int, file: Path) -> str:
        """The SHA-256 of a file as the backup of a number has it, from 0 on; all backups are kept."""
        words = ["borg", "extract", "--stdout", f"{self.repository}::{number + 1}", str(file).lstrip("/")]
        return digest_of_output(words, self.environment)

    def compact(self) -> None:
        """Frees what nothing needs."""
        run(["borg", "compact", self.repository], env=self.environment)

    def close(self) -> None:
        """There is nothing to end."""


class RsyncDaemon:
    """A daemon of its own with one writable module, and the client that sends to it with `-z`."""

    name = "rsync -az to a daemon"
    program = "rsync"

    def __init__(self, folder: Path) -> None:
        self.target = folder / "target"
        self.target.mkdir(parents=True)
        self.port = free_port()
        owner = f"uid = {os.getuid()}\ngid = {os.getgid()}\n" if os.getuid() == 0 else ""
        module = f"[data]\npath = {self.target}\nread only = no\n"
        settings = f"port = {self.port}\naddress = 127.0.0.1\nuse chroot = no\n{owner}{module}"
        (folder / "rsyncd.conf").write_text(settings)
        words = ["rsync", "--daemon", "--no-detach", f"--config={folder / 'rsyncd.conf'}"]
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)

    def store(self, source: Path) -> Usage:
        """Sends a folder; what the daemon used is counted in."""
        before = processor_seconds(self.process.pid)
        usage = run(["rsync", "-az", "--delete", f"{source}/", f"rsync://127.0.0.1:{self.port}/data/"]).usage
        # The daemon's own child is counted once it was waited for.
        time.sleep(0.05)
        usage.cpu += processor_seconds(self.process.pid) - before
        return usage

    def bytes_for(self, old: Path, new: Path) -> int:
        """How many bytes travel, both ways, to bring a file or folder over there from the old state to the new."""
        shutil.rmtree(self.target)
        self.target.mkdir()
        if old.is_dir():
            shutil.copytree(old, self.target, dirs_exist_ok=True)
        else:
            shutil.copyfile(old, self.target / new.name)
            os.utime(self.target / new.name, (1, 1))
        proxy = Proxy(("127.0.0.1", self.port))
        source = f"{new}/" if new.is_dir() else str(new)
        run(["rsync", "-az", "--no-whole-file", source, f"rsync://127.0.0.1:{proxy.port}/data/"])
        proxy.close()
        traffic = proxy.traffic()
        return traffic.up + traffic.down

    def close(self) -> None:
        """Ends the daemon."""
        self.stop()

    def stop(self) -> None:
        """Ends the daemon."""
        self.process.terminate()
        self.process.wait()


def wait_for_port(port: int, within: float = 30) -> None:
    """Waits until somebody listens."""
    deadline = time.monotonic() + within
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise RuntimeError(f"nobody listens on port {port}") from None
            time.sleep(0.02)


class SyncthingDevice:
    """One Syncthing on the loopback, without discovery, relays or reports."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.port, self.gui = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        run(["syncthing", "generate", f"--home={home}", "--no-default-folder"])
        self.identifier = run(["syncthing", f"--home={home}", "--device-id"]).output.strip()

    def configure(self, other: SyncthingDevice) -> None:
        """Shares the folder with another device."""
        path = self.home / "config.xml"
        tree = xml.parse(path)
        root = tree.getroot()
        gui = root.find("gui")
        options = root.find("options")
        assert gui is not None and options is not None
        for name, value in (("address", f"127.0.0.1:{self.gui}"), ("apikey", "key")):
            self._set(gui, name, value)
        switches = (
            "globalAnnounceEnabled",
            "localAnnounceEnabled",
            "relaysEnabled",
            "natEnabled",
            "crashReportingEnabled",
            "startBrowser",
        )
        for name, value in [
            ("listenAddress", f"tcp://127.0.0.1:{self.port}"),
            ("urAccepted", "-1"),
            *((name, "false") for name in switches),
        ]:
            self._set(options, name, value)
        device = xml.SubElement(root, "device", id=other.identifier, name="other")
        xml.SubElement(device, "address").text = f"tcp://127.0.0.1:{other.port}"
        folder = xml.SubElement(
            root, "folder", id="data", path=str(self.folder), type="sendreceive", fsWatcherEnabled="true"
        )
        for identifier in (self.identifier, other.identifier):
            xml.SubElement(folder, "device", id=identifier)
        tree.write(path)

    @staticmethod
    def _set(parent: xml.Element, name: str, value: str) -> None:
        found = parent.findall(name)
        for extra in found[1:]:
            parent.remove(extra)
        (found[0] if found else xml.SubElement(parent, name)).text = value

    def start(self) -> None:
        """Starts it and waits until it answers."""
        environment = os.environ | {"STNOUPGRADE": "1", "STNODEFAULTFOLDER": "1", "STNORESTART": "1"}
        with (self.home / "log.txt").open("wb") as log:
            words = ["syncthing", "serve", f"--home={self.home}", "--no-browser", "--no-restart"]
            self.process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for_port(self.gui)

    def ask(self, path: str) -> dict[str, object]:
        """Asks its interface."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.gui}/rest/{path}", headers={"X-API-Key": "key"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.loads(answer.read())
        assert isinstance(found, dict)
        return found

    def usage(self) -> Usage:
        """Processor time and peak memory of it and of its children, so far."""
        assert self.process
        tree = [self.process.pid, *children(self.process.pid)]
        return Usage(0, sum(processor_seconds(pid) for pid in tree), sum(peak_memory(pid) for pid in tree))

    def stop(self) -> None:
        """Ends it."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "status").read_text()
            except OSError:
                continue
            if re.search(rf"^PPid:\t{pid}$", status, re.MULTILINE):
                found += [int(entry.name), *children(int(entry.name))]
    return found


def syncthing_to_other_side(folder: Path, source: Path, files: int, within: float = 600) -> Usage:
    """From the start of the device that has the files until the other one has them all; of both devices together."""
    one, two = SyncthingDevice(folder / "home-one", source), SyncthingDevice(folder / "home-two", folder / "two")
    one.configure(two)
    two.configure(one)
    try:
        two.start()
        started = time.monotonic()
        one.start()
        while not _has_all(two, files):
            if time.monotonic() - started > within:
                raise RuntimeError(f"Syncthing is not in sync within {within} s")
            time.sleep(0.1)
        wall = time.monotonic() - started
        first, second = one.usage(), two.usage()
        return Usage(wall, first.cpu + second.cpu, max(first.memory, second.memory))
    finally:
        one.stop()
        two.stop()


def _has_all(device: SyncthingDevice, files: int) -> bool:
    try:
        status = device.ask("db/status?folder=data")
    except (urllib.error.URLError, OSError):
        return False
    return (
        status.get("needFiles") == 0
        and int(str(status.get("localFiles", 0))) >= files
        and status.get("state") == "idle"
    )
