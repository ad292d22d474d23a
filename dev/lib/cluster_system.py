"""The cluster of dev/cluster as what a drill harms: devices are on the host `client` and reach it by its one address."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from cluster.cache import GROUP
from cluster.needs import ClusterError, require_root
from cluster.network import CLONE_NEWNET, NAMESPACES
from cluster.part import Part
from cluster.plan import Cluster
from cluster.program import wait_until
from cluster.servers import POLL_PORT, PORT, settings
from drill_parts import HARMS, PARTS, Endpoint
from measure import Finished, run
from notify_seed import poll_key
from notify_server import SPARE

CLIENT = "client"
# The folder of a cluster that runs already, for those who run one case after the other.
RUNNING = "CAIRN_CLUSTER"
# Patroni waits for 20 s before it takes a host for lost; only then the standby is promoted, or is waited for no more.
LEAST_HOLD = {"primary": 45.0, "standby": 30.0}
MEND_WITHIN = 120.0
# What parts of the drill are on which hosts; the others depend upon who is at work.
HOSTS = {
    "api": ["api1"], "blocks": ["block1"], "notify": ["notify1"], "queue": ["queue"], "region": ["s3a"], "caches": GROUP,
}  # fmt: skip
# What a bucket has apart from packs: notes about what a region lacks.
NOTES, PACKS = "repairs/", "packs/"

_libc = ctypes.CDLL(None, use_errno=True)


class ClusterSystem:
    """A whole cluster on this machine; the thread that makes it, and all threads made later, are on the client's host."""

    name = "a cluster"
    style = "postgresql"

    def __init__(self, folder: Path, programs: Path, polls: int) -> None:
        require_root()
        self.folder, self.programs = folder, programs
        self._harmed: dict[str, list[Part]] = {}
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self._is_ours = RUNNING not in os.environ
        with told():
            self.cluster = self._started(polls) if self._is_ours else Cluster.open(Path(os.environ[RUNNING]))
            self._prepare()
        self.tls = ssl.create_default_context(cafile=str(self.cluster.authority))
        self._enter()

    def _started(self, polls: int) -> Cluster:
        # The database's user has to get to its files.
        self.folder.chmod(0o711)
        say = partial(print, flush=True)
        cluster = Cluster.new(self.folder / "cluster", self.programs, polls=polls + SPARE, say=say)
        cluster.start()
        return cluster

    def _prepare(self) -> None:
        """Makes what commands work on, and room for very many connections of one address."""
        self.settings = self.folder / "operator.yml"
        self.settings.touch(0o600)
        self.settings.write_text(settings(self.cluster.secrets))
        words = ["sh", "-c", "echo 1024 65000 > /proc/sys/net/ipv4/ip_local_port_range"]
        run([*self.cluster.network.enter(CLIENT), *words])

    # Where we are: devices on the client's host, commands about hosts on this machine

    def _enter(self) -> None:
        with (NAMESPACES / self.cluster.network.namespace(CLIENT)).open() as there:
            _set_network(there.fileno())

    @contextlib.contextmanager
    def _outside(self) -> Iterator[None]:
        with told():
            _set_network(self._home)
            try:
                yield
            finally:
                self._enter()

    @property
    def endpoint(self) -> Endpoint:
        """The address that one of the balancers has."""
        return self.cluster.network.names["cairn"], 443

    def endpoints(self, role: str) -> list[Endpoint]:
        """Each process by its own address; those that park polls where poll tokens are taken."""
        names = {"api": ("api1", "api2"), "blocks": ("block1", "block2"), "notify": ("notify1", "notify2")}[role]
        port = POLL_PORT if role == "notify" else PORT
        return [(self.cluster.network.addresses[name], port) for name in names]

    def parts(self) -> list[str]:
        """All of them."""
        return list(PARTS)

    def harms(self, part: str) -> list[str]:
        """A host loses its power, is halted, or is cut off."""
        return list(HARMS)

    def least_hold(self, part: str) -> float:
        """As long as it takes to notice."""
        return LEAST_HOLD.get(part, 0)

    def takes_over(self, part: str) -> bool:
        """There are two of everything."""
        return True

    # Harm

    def harm(self, part: str, how: str) -> None:
        """Does it to the host that is at work."""
        if part in self._harmed:
            raise ValueError(f"{part} can't be harmed by {how} now")
        with self._outside():
            self._harmed[part] = self._at_work(part)
            for each in self._harmed[part]:
                self.cluster.harm(how, each.host)

    def _at_work(self, part: str) -> list[Part]:
        if part in HOSTS:
            return [self.cluster.part(name) for name in HOSTS[part]]
        at_work: dict[str, Callable[[], Iterable[Part]]] = {
            "balancer": lambda: (each for each in self.cluster.balancers if each.holds_address()),
            "cache": lambda: (each for each in self.cluster.caches if each.health().words.startswith("master")),
            "primary": lambda: (each for each in self.cluster.nodes if each.role() == "leader"),
            "standby": lambda: (each for each in self.cluster.nodes if each.role() == "sync_standby"),
        }
        if found := next(iter(at_work[part]()), None):
            return [found]
        raise RuntimeError(f"nobody is the {part} now")

    def mend(self, part: str) -> None:
        """Brings the host back, waits until all of its kind are well again, and names processes of Cairn that have ended
        though nobody harmed them: they are started again."""
        targets = self._harmed[part]
        with self._outside():
            for target in targets:
                self.cluster.harm("mend", target.host)
            ended = [server for server in self.cluster.servers if server not in targets and server.gone()]
            words = [f"{server.host} has ended by itself: {server.tail(8)}" for server in ended]
            for server in ended:
                server.start()
            deadline = time.monotonic() + MEND_WITHIN
            for each in [*self._kind(targets[0]), *ended]:
                each.wait(max(1.0, deadline - time.monotonic()))
            if not wait_until(lambda: sum(each.holds_address() for each in self.cluster.balancers) == 1, 20):
                words.append("not one balancer has the address")
            del self._harmed[part]
            if words:
                raise RuntimeError("; ".join(words))

    def _kind(self, target: Part) -> list[Part]:
        cluster = self.cluster
        kinds: list[list[Part]] = [[*cluster.balancers], [*cluster.nodes], [*cluster.caches]]
        return next((kind for kind in kinds if target in kind), [target])

    # Looking

    def s3_regions(self) -> list[str]:
        """Both, by their hosts."""
        return [region.host for region in self.cluster.regions]

    def whole(self, region: str, within: float) -> str:
        """By what lies in the buckets, whatever Cairn says: the same packs in both, and no note about a region."""
        with self._outside():
            deadline = time.monotonic() + within
            while problem := problem_of_buckets({each.host: each.objects() for each in self.cluster.regions}, region):
                if time.monotonic() > deadline:
                    return f"{problem}, still after {within:.0f} s"
                time.sleep(0.5)
            return ""

    def export(self, region: str, account: str, into: Path) -> str:
        """By the command, which is told of one region alone."""
        finished = self._command("export", into, "--account", account, "--region", region, check=False)
        return "" if finished.code == 0 else f"export ended with {finished.code}: {finished.errors[-500:]}"

    def add_account(self, name: str, password: str) -> None:
        """By the command."""
        self._command("account", "add", name, "--password-stdin", input=password + "\n")

    def _command(self, *words: str | Path, input: str | None = None, check: bool = True) -> Finished:
        """A command of the operator, on the client's host."""
        host = self.cluster.network.enter(CLIENT)
        return run([*host, self.programs / "cairn-server", *words, "--config", self.settings], input=input, check=check)

    def rows(self, question: str) -> list[tuple]:
        """By psql, from whichever node takes writes."""
        with self._outside():
            # Rows as JSON: lines without doubt about where a value ends, and of which kind it is.
            found = self.cluster.database.query(f"SELECT to_json(q) FROM ({question}) q", within=60)
        return [row_of(line) for line in found.splitlines()]

    def poll_key(self) -> tuple[int, bytes]:
        """From the keyring."""
        return poll_key(self.cluster.folder / "keyring")

    def close(self) -> None:
        """Ends everything that was started here; its logs stay in the drill's folder, until that goes too."""
        _set_network(self._home)
        with told():
            for target in [target for targets in self._harmed.values() for target in targets]:
                self.cluster.harm("mend", target.host)
            keep_logs(self.cluster.folder / "hosts", self.folder / "logs")
            if self._is_ours:
                self.cluster.stop()


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What the cluster complains about, as a drill expects it."""
    try:
        yield
    except ClusterError as error:
        raise RuntimeError(str(error)) from error


def _set_network(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise RuntimeError(f"can't go to another network: {os.strerror(ctypes.get_errno())}")


def row_of(line: str) -> tuple:
    """A row of JSON as a tuple; what the database has as bytes it writes as \\x and digits."""
    return tuple(
        bytes.fromhex(value[2:]) if isinstance(value, str) and value.startswith("\\x") else value
        for value in json.loads(line).values()
    )


def problem_of_buckets(buckets: dict[str, dict[str, int]], region: str) -> str:
    """What a region lacks of that which lies in the others, or what is noted still; nothing when it is whole."""
    if notes := [key for objects in buckets.values() for key in objects if key.startswith(NOTES)]:
        return f"{len(notes)} notes say what a region lacks"
    packs = {key: size for objects in buckets.values() for key, size in objects.items() if key.startswith(PACKS)}
    here = {key: size for key, size in buckets[region].items() if key.startswith(PACKS)}
    if not packs:
        return "no region has a pack"
    wrong = [key for key, size in packs.items() if here.get(key) != size]
    return f"{len(wrong)} of {len(packs)} packs are not in {region}" if wrong else ""


def keep_logs(hosts: Path, into: Path) -> None:
    """Copies what every program wrote."""
    for log in hosts.glob("*/*.log"):
        if not log.name.endswith(".ceph.log"):
            into.mkdir(exist_ok=True)
            shutil.copy(log, into / f"{log.parent.name}-{log.name}")


