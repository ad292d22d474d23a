"""A server and its devices, as the drills, the benchmarks and the demonstration run them."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from measure import Finished, run

REPOSITORY = Path(__file__).resolve().parents[2]


def add_program_options(parser: argparse.ArgumentParser, configuration: str) -> None:
    """The options that say which build of the programs is meant."""
    parser.add_argument("--configuration", choices=["debug", "release"], default=configuration)
    parser.add_argument(
        "--programs", type=Path, help="the folder of cairn and cairn-server, instead of a build of this tree"
    )


def programs(options: argparse.Namespace) -> Path:
    """The folder of the built programs; says how to build them when they are not there."""
    folder: Path = (options.programs or REPOSITORY / ".build" / options.configuration).resolve()
    for name in ("cairn", "cairn-server"):
        if not os.access(folder / name, os.X_OK):
            hint = "make build" if options.configuration == "release" else "swift build"
            raise SystemExit(f"there is no {folder / name}: run '{hint}' first")
    return folder


@dataclass
class Server:
    """A server with a data folder, that can be started again at the same address after it was killed."""

    data: Path
    programs: Path
    regions: list[Path] = field(default_factory=list)
    listen: str = "127.0.0.1:0"
    options: list[str] = field(default_factory=list)
    url: str = ""
    starts: int = 0

    def __post_init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the running server."""
        assert self.process, "the server is not running"
        return self.process.pid

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.rpartition("/")[2].rpartition(":")
        return host, int(port)

    @property
    def log(self) -> Path:
        """What the server wrote since its last start."""
        return self.data.parent / f"{self.data.name}-{self.starts}.log"

    def start(self, within: float = 60) -> None:
        """Starts it and waits until it listens."""
        self.starts += 1
        arguments = [str(self.programs / "cairn-server"), "run", "--data", str(self.data), "--listen", self.listen]
        arguments += self.options
        for region in self.regions:
            arguments += ["--region", str(region)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + within
        while not (match := re.search(r"listening on (https?://\S+)\s", self.log.read_text(errors="replace"))):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.01)
        self.url = match[1]
        host, port = self.endpoint
        self.listen = f"{host}:{port}"

    def add_account(self, name: str, password: str) -> None:
        """Makes an account."""
        run(
            [self.programs / "cairn-server", "account", "add", name, "--password-stdin", "--data", self.data],
            input=password + "\n",
        )

    def get(self, path: str) -> tuple[int, str]:
        """The status and the text of an answer."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def stop(self, within: float = 60) -> None:
        """Asks it to end, and makes sure that it did so by itself, with success."""
        if not self.process:
            return
        self.process.terminate()
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server did not stop within {within} s") from None
        self.process = None
        if code != 0:
            raise RuntimeError(f"the server stopped with {code}:\n{self.log.read_text(errors='replace')[-3000:]}")

    def kill(self) -> None:
        """Ends it at once, as a power cut would end a process."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@dataclass
class Device:
    """One device: a home with the client's state, and usually one linked folder."""

    name: str
    home: Path
    programs: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The surroundings of each command of this device."""
        return os.environ | {"CAIRN_HOME": str(self.home)}

    def command(self, *arguments: str | Path) -> list[str]:
        """The words of a command line."""
        return [str(self.programs / "cairn"), *map(str, arguments)]

    def run(self, *arguments: str | Path, input: str | None = None, check: bool = True) -> Finished:
        """Runs a command to its end."""
        return run(self.command(*arguments), env=self.environment, input=input, check=check)

    def login(self, url: str, account: str, password: str) -> None:
        """Makes it a device of an account."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.run("login", url, "--account", account, "--device", self.name, "--password-stdin", input=password + "\n")

    def sync(self, *options: str, check: bool = True) -> Finished:
        """Syncs its folder once."""
        return self.run("sync", self.folder, *options, check=check)

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Starts a command and leaves it running, with its words in a log beside its home."""
        with (self.home.parent / f"{self.home.name}.log").open("ab") as log:
            return subprocess.Popen(
                self.command(*arguments), env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Kills a process that is left at the end of a block."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def difference(first: Path, second: Path) -> str:
    """What `diff` says of two trees; nothing when they are the same."""
    found = run(["diff", "-r", "--no-dereference", first, second], check=False)
    return "" if found.code == 0 else (found.output + found.errors or f"diff ended with {found.code}")
