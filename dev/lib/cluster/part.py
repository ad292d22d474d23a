"""A part of the cluster: a host, the programs on it, and how it feels."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.needs import ClusterError
from cluster.network import Network
from cluster.program import Program, kill_at_once, memory_of, send, wait_until


@dataclass(frozen=True)
class Health:
    """Whether a part does its work, and in a word what it does or why not."""

    is_well: bool
    words: str


class Part:
    """A host with its programs. What a part is, its kinds say: they write its files and ask how it is."""

    def __init__(self, network: Network, host: str, root: Path) -> None:
        self.network, self.host = network, host
        self.address = network.addresses[host]
        self.folder = root / host
        self.programs: list[Program] = []

    # What each kind of part says of itself

    def prepare(self) -> None:
        """Writes the files of its programs, once, before their first start."""

    def health(self) -> Health:
        """Asks it. Never takes longer than a few seconds."""
        raise NotImplementedError

    # The same for all

    def add(self, name: str, words: Sequence[str | Path], **more: object) -> Program:
        """Adds a program, which is started after those that are there."""
        made = Program(self.network, self.host, name, self.folder, words, **more)  # type: ignore[arg-type]
        self.programs.append(made)
        return made

    def first_start(self) -> None:
        """Makes its folder, writes its files and starts it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self.start()

    def start(self) -> None:
        """Starts what does not run."""
        for each in self.programs:
            each.start()

    def wait(self, within: float = 60) -> None:
        """Waits until it is well."""
        if not wait_until(lambda: self.health().is_well or bool(self.gone()), within, 0.1) or self.gone():
            raise ClusterError(f"{self.host} is not well within {within:.0f} s ({self.health().words}):\n{self.tail()}")

    def gone(self) -> list[Program]:
        """Those of its programs that it starts and that do not run."""
        return [each for each in self.programs if each.is_startable and not each.pids()]

    def stop(self) -> None:
        """Ends its programs, the last one first."""
        for each in reversed(self.programs):
            each.stop()
        kill_at_once(self.network.processes(self.host))

    def kill(self) -> None:
        """Takes the power from the host: everything on it is gone at once."""
        if not self.network.processes(self.host):
            raise ClusterError(f"nothing runs on {self.host}")
        kill_at_once(self.network.processes(self.host))
        if not wait_until(lambda: not self.network.processes(self.host), 10, 0.01):
            raise ClusterError(f"{self.host} does not die")

    def freeze(self) -> None:
        """Halts everything on the host; its sockets stay, and its kernel goes on saying that packets have come."""
        send(self.network.processes(self.host), signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets everything on the host go on."""
        send(self.network.processes(self.host), signal.SIGCONT)

    def cut(self, others: Sequence[str] = ()) -> None:
        """Cuts the host off from all others, or from some."""
        self.network.cut(self.host, others)

    def mend(self) -> None:
        """Takes back all that was done to it: cuts, frosts and kills."""
        self.network.mend(self.host)
        self.thaw()
        self.start()

    def program(self, name: str) -> Program:
        """One of its programs."""
        for each in self.programs:
            if each.name == name:
                return each
        raise ClusterError(f"{self.host} has no {name}: it has {', '.join(each.name for each in self.programs)}")

    def memory(self) -> int:
        """The bytes that everything on the host has in memory."""
        return sum(map(memory_of, self.network.processes(self.host)))

    def tail(self, lines: int = 20) -> str:
        """The last words of each of its programs."""
        return "\n".join(f"--- {each.title}\n{each.tail(lines)}" for each in self.programs if each.log.exists())

    # For those that ask over HTTP

    def ask(self, port: int, path: str, timeout: float = 2) -> tuple[int, str]:
        """The status and the text of an answer, as a program on the same host gets it; status 0 for none."""
        with self.network.inside(self.host):
            connection = http.client.HTTPConnection(self.address, port, timeout=timeout)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException):
                return 0, ""
            finally:
                connection.close()
