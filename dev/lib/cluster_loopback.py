"""The backends of a cluster and Cairn's processes without namespaces: each host is a loopback address and a folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cluster.cache import RedisNode
from cluster.database import as_postgres
from cluster.needs import ClusterError, program
from cluster.network import Network, command
from cluster.part import Health, Part
from cluster.program import kill_at_once, wait_until
from cluster.s3 import BUCKET, Keys, Region
from cluster.servers import PORT, CairnProcess, Secrets
from measure import processor_seconds, run

PASSWORD = "a password for the load"


class Loopback(Network):
    """Hosts that share this machine's network: who is on one is told by the folder in which a process works."""

    @staticmethod
    def of(folder: Path, hosts: Sequence[str]) -> Loopback:
        """Addresses of its own for each folder, so that several can be there at once."""
        first, second = hashlib.sha256(str(folder).encode()).digest()[:2]
        # 127.0 is everybody's.
        prefix = f"127.{first or 1}.{second}"
        return Loopback(folder, {host: f"{prefix}.{place + 1}" for place, host in enumerate(hosts)}, {})

    def enter(self, host: str) -> list[str]:
        """Nothing: all are here."""
        return []

    @contextlib.contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Nothing to enter."""
        yield

    def processes(self, host: str) -> list[int]:
        """Every process that works in the host's folder or below; ids that are somebody else's by now are not."""
        place = self.folder / host
        return sorted(pid for pid, folder in _places() if folder == place or place in folder.parents)

    def processor(self) -> dict[str, float]:
        """The seconds of processor time that all on each host have used, in one look."""
        used = dict.fromkeys(self.addresses, 0.0)
        for pid, place in _places():
            if self.folder in place.parents:
                with contextlib.suppress(OSError):
                    used[place.relative_to(self.folder).parts[0]] += processor_seconds(pid)
        return used


def _places() -> Iterator[tuple[int, Path]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), Path(os.readlink(entry / "cwd"))


class LoneDatabase(Part):
    """One PostgreSQL, as it comes: a commit is on the disk before it is acknowledged."""

    def __init__(self, network: Network, host: str, root: Path, password: str) -> None:
        super().__init__(network, host, root)
        self.password = password
        # It refuses to run as root.
        self.user = as_postgres() if os.geteuid() == 0 else []
        settings = {
            "listen_addresses": self.address,
            "unix_socket_directories": str(self.folder),
            "max_connections": "300",
            "shared_buffers": "256MB",
            "fsync": "on",
            "synchronous_commit": "on",
        }
        words: list[str | Path] = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.add("postgres", [*self.user, program("postgres"), "-D", self.folder / "data", *words])

    def prepare(self) -> None:
        """Makes its files."""
        secret = self.folder / "password"
        secret.touch(0o600)
        secret.write_text(self.password)
        if self.user:
            for path in (self.folder, secret):
                shutil.chown(path, "postgres", "postgres")
        words: list[str | Path] = [program("initdb"), "-D", self.folder / "data", "--username", "cairn"]
        words += ["--auth", "scram-sha-256", "--pwfile", secret, "--encoding", "UTF8"]
        command([*self.user, *words])

    def health(self) -> Health:
        """Whether it answers."""
        try:
            self.query("SELECT 1")
        except ClusterError as error:
            return Health(False, str(error)[-200:])
        return Health(True, "serves")

    def query(self, sql: str) -> str:
        """The answer to a statement that needs no database of its own."""
        where = f"host={self.address} port=5432 dbname=postgres user=cairn connect_timeout=2"
        words = [program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, where]
        return command(words, env=os.environ | {"PGPASSWORD": self.password}).strip()


class LoopbackRedis(RedisNode):
    """A Redis that listens at its own address alone."""

    def prepare(self) -> None:
        """Writes its file."""
        super().prepare()
        settings = self.folder / "redis.conf"
        settings.write_text(settings.read_text().replace("bind 0.0.0.0\n", f"bind {self.address}\n"))


class LoopbackProcess(CairnProcess):
    """A process of one role. Bus, cache and limits are at one Redis, the queue at both."""

    def __init__(self, network: Network, host: str, root: Path, role: str, programs: Path, secrets: Secrets) -> None:
        super().__init__(network, host, root, role, programs, secrets, polls=0)
        self.role = role

    def prepare(self) -> None:
        """Writes its configuration, for its owner only: passwords stand in it. JSON is YAML too."""
        password, keys, addresses = self.secrets.password, self.secrets.keys, self.network.addresses
        bus = {"kind": "redis", "url": f"redis://:{password}@{addresses['bus']}:6379"}
        region = {"name": "s3", "endpoint": f"http://{addresses['s3']}:7480", "bucket": BUCKET, "path_style": True}
        region |= {"access_key": keys.access, "secret_key": keys.secret}
        configuration = {
            "keyring_file": str(self.secrets.keyring),
            "insecure_listen": True,
            "lease": "10s",
            "database": {"kind": "postgresql", "url": f"postgresql://cairn:{password}@{addresses['db']}:5432/cairn"},
            "storage": {"kind": "s3", "regions": [region]},
            "bus": bus,
            "cache": bus,
            "limits": bus,
            "queue": {"kind": "redis", "urls": [f"redis://:{password}@{addresses['queue']}:6379", bus["url"]]},
            "log": {"level": "warning"},
        }
        self.settings.touch(0o600)
        self.settings.write_text(json.dumps(configuration, indent=2) + "\n")


class LoopbackCluster:
    """PostgreSQL, two Redis, a region of S3 and the process for jobs; and as many others as are asked for, in turn."""

    def __init__(self, folder: Path, programs: Path, most: int) -> None:
        self.folder, self.programs = folder.resolve(), programs
        numbered = [f"{role}{number + 1}" for role in ("api", "block") for number in range(most)]
        self.network = Loopback.of(self.folder, ["db", "bus", "queue", "s3", "work", *numbered])
        password, addresses = secrets.token_hex(12), self.network.addresses
        self.database = LoneDatabase(self.network, "db", self.folder, password)
        self.caches = [LoopbackRedis(self.network, name, self.folder, password) for name in ("bus", "queue")]
        self.region = Region(self.network, "s3", self.folder, Keys("cairn", secrets.token_hex(16)))
        self.secrets = Secrets(password, self.region.keys, self.folder / "keyring")
        self.work = self._process("work", "maintenance")
        self.servers: list[CairnProcess] = []

    def _process(self, host: str, role: str) -> LoopbackProcess:
        return LoopbackProcess(self.network, host, self.folder, role, self.programs, self.secrets)

    def start(self) -> None:
        """Starts what all need."""
        # The database's user has to get to its files.
        for place in (self.folder.parent, self.folder):
            place.chmod(0o711)
        for part in (self.database, *self.caches, self.region):
            part.first_start()
        for part in (self.database, *self.caches, self.region):
            part.wait(90)
        self.database.query("CREATE DATABASE cairn")
        run([self.programs / "cairn-server", "key", "new", self.secrets.keyring])
        self.work.first_start()
        self.work.wait(60)

    def add_account(self, name: str) -> None:
        """Makes an account."""
        words: list[str | Path] = ["account", "add", name, "--password-stdin", "--config", self.work.settings]
        run([self.programs / "cairn-server", *words], input=PASSWORD + "\n")

    def serve(self, count: int) -> None:
        """Starts so many processes of either role, in place of those that are there."""
        self.rest()
        self.servers = [
            self._process(f"{role}{number + 1}", role) for role in ("api", "block") for number in range(count)
        ]
        for each in self.servers:
            each.first_start()
        for each in self.servers:
            each.wait(60)

    def rest(self) -> None:
        """Ends the processes that serve."""
        for each in self.servers:
            each.stop()
        self.servers = []

    def endpoints(self, role: str) -> list[tuple[str, int]]:
        """Where the processes of a role are."""
        return [(each.address, PORT) for each in self.servers if each.role == role]

    def processor(self) -> dict[str, float]:
        """The seconds of processor time of each kind of part until now."""
        of = self.network.processor()
        used = {role: sum(of[each.host] for each in self.servers if each.role == role) for role in ("api", "block")}
        return used | {"jobs": of["work"], "PostgreSQL": of["db"], "Redis": of["bus"] + of["queue"], "S3": of["s3"]}

    def end(self) -> None:
        """Ends everything, and waits until it is gone."""
        for host in self.network.addresses:
            kill_at_once(self.network.processes(host))
        if not wait_until(lambda: not any(map(self.network.processes, self.network.addresses)), 20):
            raise ClusterError(f"processes in {self.folder} do not end")
        # Who was killed may still write its last page.
        time.sleep(0.2)
