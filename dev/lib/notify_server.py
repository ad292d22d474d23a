"""The parts of Cairn that hold polls: a notification process of its own, or the server that listens for polls too."""

from __future__ import annotations

import http.client
import re
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from cairn import Server
from notify_load import http_request, wait_until
from notify_crowd import Crowd, Group, problem_of_token
from peers import free_port

# Room beyond the crowd: for the polls that are made by hand, and for who comes back before its end was noticed.
SPARE = 1000
PARKED = re.compile(r"^cairn_polls_parked (\d+)", re.MULTILINE)


def metrics(host: str) -> str:
    """What a process says of itself."""
    with urllib.request.urlopen(f"http://{host}/metrics", timeout=60) as answer:
        return str(answer.read(), "utf-8")


def parked_at(host: str) -> int:
    """How many polls a process holds; -1 when it does not say."""
    try:
        found = PARKED.search(metrics(host))
    except (OSError, http.client.HTTPException):
        return -1
    return int(found[1]) if found else -1


def is_ready(host: str) -> bool:
    """Whether a process takes polls."""
    try:
        with urllib.request.urlopen(f"http://{host}/ready", timeout=10) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


@dataclass
class NotifyProcess:
    """`cairn-server notify` beside a server that runs, at an address that it keeps when it is started again."""

    data: Path
    programs: Path
    polls: int
    name: str
    host: str = ""

    def __post_init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.host = self.host or f"127.0.0.1:{free_port()}"

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self.process, f"{self.name} is not running"
        return self.process.pid

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.data.parent / f"{self.name}.log"

    def start(self, within: float = 60) -> None:
        """Starts it and waits until it takes polls."""
        words = [str(self.programs / "cairn-server"), "notify", "--data", str(self.data), "--listen", self.host]
        words += ["--capacity", str(self.polls + SPARE)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        process = self.process
        ready = wait_until(lambda: process.poll() is not None or is_ready(self.host), within)
        if not ready or process.poll() is not None:
            self.kill()
            raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def parked(self) -> int:
        """How many polls it holds."""
        return parked_at(self.host)

    def kill(self) -> None:
        """Ends it at once, as a power cut would end a process."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, within: float = 120) -> None:
        """Asks it to end: it sends its polls elsewhere first."""
        assert self.process
        self.process.terminate()
        code = self.process.wait(within)
        self.process = None
        if code != 0:
            raise RuntimeError(f"{self.name} stopped with {code}:\n{self.log.read_text(errors='replace')[-3000:]}")


class CairnSystem:
    """A server and where its polls are parked: in its own process, or in one beside it."""

    def __init__(self, server: Server, crowd: Crowd, own_process: bool) -> None:
        self.server, self.crowd = server, crowd
        self.commits = 0
        self.notify: NotifyProcess | None = None
        if own_process:
            self.notify = NotifyProcess(server.data, server.programs, crowd.polls, "notify")
            self.host = self.notify.host
            server.start()
            self.notify.start()
        else:
            self.host = f"127.0.0.1:{free_port()}"
            server.options += ["--notify-listen", self.host, "--notify-capacity", str(crowd.polls + SPARE)]
            server.start()
            if not wait_until(lambda: is_ready(self.host), 60):
                raise RuntimeError(f"the server takes no polls:\n{server.log.read_text(errors='replace')[-3000:]}")

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where commits go."""
        return self.server.endpoint

    @property
    def pids(self) -> list[int]:
        """Every process that has a part in it."""
        return [self.server.pid] + ([self.notify.pid] if self.notify else [])

    def parked(self) -> int:
        """How many polls it holds."""
        return parked_at(self.host)

    def move(self, group: Group) -> bytes:
        """The request of a thin client that commits a small file."""
        self.commits += 1
        assert group.author, f"nobody writes for {group.name}"
        headers = {"Authorization": f"Bearer {group.author.token}", "Content-Type": "application/octet-stream"}
        body = f"commit {self.commits}\n".encode()
        host = "{}:{}".format(*self.server.endpoint)
        return http_request("PUT", f"/v1/files/note-{self.commits}.txt", host, headers, body)

    def token_problem(self, group: Group) -> str:
        """Whether the server makes the tokens that the load client makes: what is wrong with them, or nothing."""
        assert group.author, f"nobody writes for {group.name}"
        answer = group.author.call("POST", "/v1/poll/token", b"", {"Content-Type": "application/json"})
        if answer.status != 200:
            return f"POST /v1/poll/token: {answer.status} {answer.detail}"
        return problem_of_token(str(answer.document.get("token")), self.crowd, group)

    def close(self) -> None:
        """Ends the processes."""
        if self.notify:
            self.notify.kill()
        self.server.kill()
