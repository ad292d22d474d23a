"""Redis: a master with two replicas and three Sentinels, and a second one alone for the second queue."""

from __future__ import annotations

import socket
from pathlib import Path

from cluster.needs import ClusterError, program
from cluster.network import Network
from cluster.part import Health, Part
from cluster.shipped import shipped

MASTER = "cairn"
GROUP = ("cache1", "cache2", "cache3")


class RedisNode(Part):
    """A Redis, with a Sentinel beside it when it is one of the group."""

    def __init__(self, network: Network, host: str, root: Path, password: str) -> None:
        super().__init__(network, host, root)
        self.password = password
        self.is_alone = host not in GROUP
        self.add("redis", [program("redis-server"), self.folder / "redis.conf"])
        if not self.is_alone:
            self.add("sentinel", [program("redis-sentinel"), self.folder / "sentinel.conf"])

    def prepare(self) -> None:
        """Writes its files: the first of the group is the master at first."""
        changes = {"CHANGE-ME": self.password, "/var/lib/redis": str(self.folder), "maxmemory 2gb": "maxmemory 256mb"}
        changes |= {"repl-backlog-size 64mb": "repl-backlog-size 8mb"}
        if self.is_alone:
            changes |= {"min-replicas-to-write 1\n": "", "min-replicas-max-lag 2\n": ""}
        text = shipped("redis/redis.conf", changes)
        if not self.is_alone:
            changes = {"CHANGE-ME": self.password, "/var/lib/redis": str(self.folder)}
            (self.folder / "sentinel.conf").write_text(shipped("redis/sentinel.conf", changes))
            if self.host != GROUP[0]:
                text += f"replicaof {self.network.addresses[GROUP[0]]} 6379\n"
        (self.folder / "redis.conf").write_text(text)

    def health(self) -> Health:
        """Its role; a replica is well when it hears its master, a Sentinel when it knows the other two and takes part."""
        try:
            facts = dict(line.split(":", 1) for line in self.call(6379, "INFO replication").splitlines() if ":" in line)
        except (OSError, ClusterError):
            return Health(False, "does not answer")
        role = facts.get("role", "")
        if role == "slave" and facts.get("master_link_status") != "up":
            return Health(False, "a replica without its master")
        words = "alone" if self.is_alone else "master" if role == "master" else "replica"
        problem = "" if self.is_alone else self._sentinel_problem()
        return Health(not problem, f"{words}, {problem}" if problem else words)

    def _sentinel_problem(self) -> str:
        try:
            words = self.call(26379, f"SENTINEL MASTER {MASTER}").split()
            facts = self.call(26379, "INFO sentinel")
        except (OSError, ClusterError):
            return "its Sentinel does not answer"
        # Who was halted does not trust its own clock, and keeps out of everything for half a minute.
        if "sentinel_tilt:0" not in facts:
            return "its Sentinel holds back"
        others = words[words.index("num-other-sentinels") + 1] if "num-other-sentinels" in words else "0"
        return "" if int(others) >= 2 else "its Sentinel does not know two others"

    def call(self, port: int, line: str, timeout: float = 2) -> str:
        """The answer to a command of plain words, as text: lists as a line for each element."""
        with self.network.inside(self.host), socket.create_connection((self.address, port), timeout) as connection:
            stream = connection.makefile("rwb")
            if port == 6379:
                stream.write(f"AUTH {self.password}\r\n".encode())
                stream.flush()
                _answer(stream)
            stream.write(f"{line}\r\n".encode())
            stream.flush()
            return _answer(stream)


def _answer(stream: socket.SocketIO) -> str:
    line = stream.readline().decode().rstrip("\r\n")
    if not line:
        raise OSError("the connection was closed")
    kind, rest = line[0], line[1:]
    if kind == "-":
        raise ClusterError(rest)
    if kind == "$":
        if int(rest) < 0:
            return ""
        return stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == "*":
        return "\n".join(_answer(stream) for _ in range(max(0, int(rest))))
    return rest
