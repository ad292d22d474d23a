"""PostgreSQL under Patroni: two nodes, the second a synchronous standby, and three members of etcd that say who leads."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

from cluster.needs import ClusterError, program
from cluster.network import Network
from cluster.part import Health, Part
from cluster.shipped import shipped

AS_POSTGRES = ("--reuid", "postgres", "--regid", "postgres", "--init-groups")


def as_postgres() -> list[str]:
    """The words before a command that is to run as the user of the database: PostgreSQL refuses to run as root."""
    return [program("setpriv"), *AS_POSTGRES]


class Voter(Part):
    """A member of etcd."""

    def __init__(self, network: Network, host: str, root: Path) -> None:
        super().__init__(network, host, root)
        self.add("etcd", [program("etcd"), "--config-file", self.folder / "etcd.yml"])

    def prepare(self) -> None:
        """Writes what makes it one of three."""
        changes = {"name: etcd1": f"name: {self.host}", "/var/lib/etcd/cairn": f"{self.folder}/data"}
        text = shipped("etcd/etcd.conf.yml", changes)
        # The list of members names all three, every other line is about this one.
        first = self.network.addresses["etcd1"]
        lines = [
            line if line.startswith("initial-cluster:") else line.replace(first, self.address)
            for line in text.splitlines()
        ]
        (self.folder / "etcd.yml").write_text("\n".join(lines) + "\n")

    def health(self) -> Health:
        """Whether it takes part in a majority."""
        status, text = self.ask(2379, "/health")
        is_well = status == 200 and json.loads(text).get("health") == "true"
        return Health(is_well, "votes" if is_well else "has no majority" if status else "does not answer")


class DatabaseNode(Part):
    """A node of Patroni with its PostgreSQL."""

    def __init__(self, network: Network, host: str, root: Path, password: str) -> None:
        super().__init__(network, host, root)
        self.password = password
        names = ("PATRONI_SUPERUSER_PASSWORD", "PATRONI_REPLICATION_PASSWORD", "PATRONI_REWIND_PASSWORD")
        env = {"HOME": str(self.folder), **{name: password for name in names}}
        # Its own Python: another one in PATH knows nothing of Debian's modules.
        words = [*as_postgres(), "/usr/bin/python3", program("patroni"), self.folder / "patroni.yml"]
        self.add("patroni", words, env=env)
        # Patroni starts it. It ends as fast as a crash would by SIGQUIT, and cleanly by SIGINT.
        self.add("postgres", [], pid_file=self.folder / "data" / "postmaster.pid", farewell=signal.SIGINT)

    def prepare(self) -> None:
        """Writes its file, and gives the folder to the database's user."""
        changes = {
            "/var/lib/postgresql/15/cairn": f"{self.folder}/data",
            "/var/lib/postgresql/.pgpass-patroni": f"{self.folder}/pgpass",
            "/var/run/postgresql": str(self.folder),
            "/usr/lib/postgresql/15/bin": str(Path(program("postgres")).parent),
            "shared_buffers: 4GB": "shared_buffers: 64MB",
            "wal_keep_size: 1GB": "wal_keep_size: 128MB\n        max_wal_size: 256MB",
            "max_connections: 300": "max_connections: 150",
            "mode: automatic": "mode: 'off'",
            # What is killed here are programs, not this machine: its disk may take its time.
            "    - data-checksums": "    - data-checksums\n    - no-sync",
        }
        (self.folder / "patroni.yml").write_text(shipped(f"patroni/{self.host}.yml", changes))
        for path in (self.folder, self.folder / "patroni.yml"):
            shutil.chown(path, "postgres", "postgres")
        self.folder.chmod(0o700)
        if subprocess.run([*as_postgres(), "test", "-w", str(self.folder)]).returncode != 0:
            raise ClusterError(f"the user postgres can't reach {self.folder}: each folder above it needs mode 711 or more")

    def role(self) -> str:
        """What Patroni says it is: `leader`, `sync_standby`, `replica`, or nothing."""
        if self.ask(8008, "/leader")[0] == 200:
            return "leader"
        if self.ask(8008, "/sync")[0] == 200:
            return "sync_standby"
        return "replica" if self.ask(8008, "/replica")[0] == 200 else ""

    def health(self) -> Health:
        """Well is who leads, and who stands by with every commit."""
        role = self.role()
        return Health(role in ("leader", "sync_standby"), role or "neither leads nor stands by")

    def stop(self) -> None:
        """Halts Patroni first, so that it neither starts PostgreSQL again nor waits for its turn."""
        self.program("patroni").stop(5)
        self.program("postgres").stop(5)
        super().stop()


class Database:
    """Both nodes and the voters as one thing."""

    def __init__(self, voters: list[Voter], nodes: list[DatabaseNode], password: str) -> None:
        self.voters, self.nodes, self.password = voters, nodes, password

    def first_start(self) -> None:
        """Starts the voters, the first node, and the second, which copies the first; makes the database of Cairn."""
        for voter in self.voters:
            voter.first_start()
        for voter in self.voters:
            voter.wait(30)
        first, second = self.nodes
        first.first_start()
        first.wait(60)
        second.first_start()
        self.query(f"CREATE ROLE cairn LOGIN PASSWORD '{self.password}'", database="postgres", user="postgres")
        self.query("CREATE DATABASE cairn OWNER cairn", database="postgres", user="postgres")
        second.wait(60)

    def leader(self) -> DatabaseNode | None:
        """Who leads, as Patroni says."""
        return next((node for node in self.nodes if node.role() == "leader"), None)

    def query(self, sql: str, *, database: str = "cairn", user: str = "cairn", within: float = 4) -> str:
        """Sends a statement from the client's host to whichever node takes writes; fails as `psql` does, or in time."""
        network = self.nodes[0].network
        hosts = ",".join(node.host for node in self.nodes)
        where = f"host={hosts} port=5432 dbname={database} user={user} target_session_attrs=read-write connect_timeout=2"
        words = [*network.enter("client"), program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, where]
        env = os.environ | {"PGPASSWORD": self.password}
        try:
            done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=within)
        except subprocess.TimeoutExpired:
            raise ClusterError(f"PostgreSQL does not answer within {within:.0f} s") from None
        if done.returncode != 0:
            raise ClusterError(done.stderr.strip())
        return done.stdout.strip()
