"""The cluster as a whole: which hosts there are, what starts after what, and how a later command finds it again."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.balancer import AUTHORITY, Balancer, make_certificate
from cluster.cache import GROUP, RedisNode
from cluster.database import Database, DatabaseNode, Voter
from cluster.needs import ClusterError, require_machine
from cluster.network import Network, command
from cluster.part import Part
from cluster.program import Program, kill_at_once, wait_until
from cluster.s3 import Keys, Region
from cluster.servers import ROLES, CairnProcess, Secrets

SUBNET = "10.84.84"
# The last number of each host's address.
HOSTS = {
    "lb1": 11, "lb2": 12, "api1": 21, "api2": 22, "block1": 31, "block2": 32, "notify1": 41, "notify2": 42,
    "work1": 51, "work2": 52, "etcd1": 61, "etcd2": 62, "etcd3": 63, "db1": 71, "db2": 72,
    "cache1": 81, "cache2": 82, "cache3": 83, "queue": 84, "s3a": 91, "s3b": 92, "client": 100,
}  # fmt: skip
SERVICE = f"{SUBNET}.10"
MARK = "cluster.json"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Choices:
    """What a cluster was started with; written down for the commands that come later."""

    programs: str
    password: str
    secret: str
    store: str
    # How many polls a notify process holds.
    polls: int = 100_000


class Cluster:
    """All parts, as they are told by the folder and the choices; whether they run, only the machine knows."""

    def __init__(self, folder: Path, choices: Choices, say: Say = print) -> None:
        self.folder, self.choices, self.say = folder.resolve(), choices, say
        addresses = {name: f"{SUBNET}.{number}" for name, number in HOSTS.items()}
        self.network = Network(self.folder, addresses, {"cairn": SERVICE})
        network, hosts = self.network, self.folder / "hosts"
        password, keys = choices.password, self.secrets.keys
        self.voters = [Voter(network, name, hosts) for name in ("etcd1", "etcd2", "etcd3")]
        self.nodes = [DatabaseNode(network, name, hosts, password) for name in ("db1", "db2")]
        self.database = Database(self.voters, self.nodes, password)
        self.caches = [RedisNode(network, name, hosts, password) for name in (*GROUP, "queue")]
        self.regions = [Region(network, name, hosts, keys, choices.store) for name in ("s3a", "s3b")]
        self.balancers = [Balancer(network, name, hosts) for name in ("lb1", "lb2")]
        self.servers: list[CairnProcess] = []
        if choices.programs:
            self.servers = [
                CairnProcess(network, host, hosts, role, Path(choices.programs), self.secrets, choices.polls)
                for role, names in ROLES.items()
                for host in names
            ]

    @staticmethod
    def new(
        folder: Path, programs: Path | None, store: str = "bluestore", say: Say = print, polls: int = 100_000
    ) -> Cluster:
        """A cluster that is to be started, in a folder that is not there yet or is empty."""
        if programs and not CairnProcess.is_built(programs):
            raise ClusterError(f"there is no {programs}/cairn-server: build it, or name another folder with --programs")
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ClusterError(f"{folder} is not empty: a cluster starts in a folder of its own")
        place = str(programs.resolve()) if programs else ""
        return Cluster(folder, Choices(place, secrets.token_hex(12), secrets.token_hex(16), store, polls), say)

    @staticmethod
    def open(folder: Path, say: Say = print) -> Cluster:
        """The cluster that was started in a folder."""
        try:
            return Cluster(folder, Choices(**json.loads((folder / MARK).read_text())), say)
        except (OSError, ValueError, TypeError):
            raise ClusterError(f"no cluster was started in {folder}") from None

    @property
    def parts(self) -> list[Part]:
        """Every part, in the order in which they are started."""
        return [*self.voters, *self.nodes, *self.caches, *self.regions, *self.servers, *self.balancers]

    def part(self, host: str) -> Part:
        """The part on a host."""
        for each in self.parts:
            if each.host == host:
                return each
        raise ClusterError(f"there is no part {host}: there are {', '.join(each.host for each in self.parts)}")

    def find(self, name: str) -> Part | Program:
        """What a name means: `db1` is a host with all that is on it, `db1/postgres` one program there."""
        host, _, name = name.partition("/")
        return self.part(host).program(name) if name else self.part(host)

    @property
    def authority(self) -> Path:
        """The certificate by which clients know the balancers."""
        return self.folder / "tls" / AUTHORITY

    @property
    def secrets(self) -> Secrets:
        """What the processes of Cairn are told of the rest."""
        return Secrets(self.choices.password, Keys("cairn", self.choices.secret), self.folder / "keyring")

    # Start and end

    def start(self) -> None:
        """Starts everything, what does not need each other at the same time; ends all of it when something fails."""
        require_machine()
        self.folder.chmod(0o711)
        mark = self.folder / MARK
        mark.touch(0o600)
        mark.write_text(json.dumps(asdict(self.choices)))
        (self.folder / "hosts").mkdir(mode=0o711)
        (self.folder / "tls").mkdir(mode=0o711)
        make_certificate(self.folder / "tls", ["DNS:cairn", f"IP:{SERVICE}"])
        try:
            self._measured("network", self.network.make)
            self._together(
                [("PostgreSQL", self.database.first_start), ("Redis", self._start_caches)]
                + [(f"S3 {region.host}", lambda region=region: self._start_part(region)) for region in self.regions]
            )
            if self.servers:
                self._measured("Cairn", self._start_servers)
            self._together([(each.host, lambda each=each: self._start_part(each)) for each in self.balancers])
            if not wait_until(lambda: any(each.holds_address() for each in self.balancers), 20):
                raise ClusterError(f"no balancer takes the address:\n{self.balancers[0].tail()}")
        except BaseException:
            self.end()
            raise

    def _start_part(self, part: Part) -> None:
        part.first_start()
        part.wait(60)

    def _start_caches(self) -> None:
        for each in self.caches:
            each.first_start()
        for each in self.caches:
            each.wait(30)

    def _start_servers(self) -> None:
        # Made once, for all of them: none makes its own when it is named in the configuration.
        command([Path(self.choices.programs) / "cairn-server", "key", "new", self.secrets.keyring])
        for each in self.servers:
            each.first_start()
        for each in self.servers:
            each.wait(60)

    def _measured(self, name: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        self.say(f"{name}: {time.monotonic() - began:.1f} s")

    def _together(self, works: Iterable[tuple[str, Callable[[], object]]]) -> None:
        errors: list[BaseException] = []

        def one(name: str, work: Callable[[], object]) -> None:
            try:
                self._measured(name, work)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=one, args=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def stop(self) -> None:
        """Ends everything politely, the balancers first, and removes the network and the folder."""
        for group in (self.balancers, self.servers, self.caches, self.regions, self.nodes, self.voters):
            threads = [threading.Thread(target=each.stop) for each in group]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.end()
        shutil.rmtree(self.folder)

    def end(self) -> None:
        """Ends everything at once and removes the network; the folder stays, with the logs."""
        for host in HOSTS:
            kill_at_once(self.network.processes(host))
        self.network.remove()

    # What is to be seen

    def table(self) -> list[str]:
        """A line for each part: how it is, what was done to it, and what it needs of the memory."""
        if not self.network.exists:
            return ["nothing runs"]
        cuts = self.network.cuts()
        with ThreadPoolExecutor(len(self.parts)) as pool:
            health = list(pool.map(lambda part: part.health(), self.parts))
        lines, total = [], 0
        for part, found in zip(self.parts, health, strict=True):
            harm = ["cut off"] if part.host in cuts else []
            harm += [f"{each.name} is frozen" for each in part.programs if each.is_frozen()]
            harm += [f"{each.name} is gone" for each in part.programs if not each.pids()]
            memory = part.memory()
            total += memory
            words = ", ".join([found.words, *harm])
            mark = "well" if found.is_well else "ILL"
            lines.append(f"{part.host:<8} {part.address:<12} {mark:<4} {memory / 1e6:6.0f} MB  {words}")
        well = sum(found.is_well for found in health)
        return [*lines, f"{well} well, {len(health) - well} ill, {total / 1e6:.0f} MB"]

    # Harm

    def harm(self, way: str, name: str, others: Sequence[str] = ()) -> None:
        """Does one of `kill`, `freeze`, `cut` and `mend` to a host or a program."""
        target = self.find(name)
        if isinstance(target, Part):
            if way == "cut":
                target.cut(others)
            else:
                {"kill": target.kill, "freeze": target.freeze, "mend": target.mend}[way]()
            return
        if way == "cut":
            raise ClusterError(f"a program has no cable: cut {target.host} off")
        part = self.part(target.host)
        if way == "mend" and isinstance(part, Region):
            # Its programs depend on each other.
            part.mend()
            return
        harm_program(target, way)


def harm_program(program: Program, way: str) -> None:
    """Kills, freezes or mends one program."""
    if way == "mend":
        if program.is_frozen():
            program.signal(signal.SIGCONT)
        program.start()
    else:
        program.signal(signal.SIGKILL if way == "kill" else signal.SIGSTOP)
