"""Every kind of harm once, to a cluster that runs: what goes on, what moves, after how long, and that nothing is lost."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cluster.balancer import Balancer
from cluster.cache import GROUP, RedisNode
from cluster.database import DatabaseNode
from cluster.needs import ClusterError
from cluster.part import Part
from cluster.plan import Cluster
from cluster.program import wait_until

CLIENT = "client"


def require(condition: bool, text: str) -> None:
    """Fails a trial."""
    if not condition:
        raise ClusterError(text)


@dataclass
class Writer:
    """Writes numbered rows from the client's host, and knows which ones were acknowledged."""

    cluster: Cluster
    acknowledged: list[int] = field(default_factory=list)
    last: int = 0

    def begin(self) -> None:
        """Makes an empty table."""
        self.cluster.database.query("DROP TABLE IF EXISTS pulse; CREATE TABLE pulse (number integer PRIMARY KEY)")

    def write(self) -> bool:
        """Writes the next row; false when it was not acknowledged."""
        self.last += 1
        try:
            self.cluster.database.query(f"INSERT INTO pulse VALUES ({self.last})", within=3)
        except ClusterError:
            return False
        self.acknowledged.append(self.last)
        return True

    def lost(self) -> set[int]:
        """What was acknowledged and is not there."""
        found = self.cluster.database.query("SELECT number FROM pulse").split()
        return set(self.acknowledged) - {int(word) for word in found}


class Trials:
    """The trials, one after the other; each leaves the cluster as it was."""

    def __init__(self, cluster: Cluster, say: Callable[[str], None]) -> None:
        self.cluster, self.say = cluster, say

    def run(self, only: str = "") -> int:
        """Runs those whose name holds a word; returns how many failed."""
        failed = 0
        for name, trial in self._all():
            if only not in name:
                continue
            try:
                self.say(f"{name}: {trial()}")
            except ClusterError as error:
                failed += 1
                self.say(f"{name}: WRONG: {error}")
                self._mend_all()
        return failed

    def _all(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "kill the leader's PostgreSQL", lambda: self._database(lambda node: node.program("postgres"), "kill")
        for way in ("kill", "freeze", "cut"):
            yield f"{way} the leader's host", lambda way=way: self._database(lambda node: node, way)
        yield "kill the standby's host", self._standby
        yield "cut off a member of etcd", self._voter
        for way in ("kill", "freeze", "cut"):
            yield f"{way} the host of Redis' master", lambda way=way: self._redis(way)
        yield "kill HAProxy", lambda: self._address("haproxy", "kill")
        yield "freeze HAProxy", lambda: self._address("haproxy", "freeze")
        for way in ("kill", "cut"):
            yield f"{way} the balancer's host", lambda way=way: self._address("", way)
        yield "cut off a region", lambda: self._region("cut", 0)
        yield "freeze a region", lambda: self._region("freeze", 12)
        yield "kill a region's host", self._lost_region
        yield "cut a region off from one host", self._pair
        yield "kill a gateway", self._gateway

    def _mend_all(self) -> None:
        for part in self.cluster.parts:
            part.mend()

    def _well(self, *parts: Part, within: float = 60) -> None:
        for part in parts:
            part.wait(within)

    def _leader(self) -> DatabaseNode:
        found: list[DatabaseNode] = []

        def look() -> bool:
            found[:] = [node for node in [self.cluster.database.leader()] if node]
            return bool(found)

        require(wait_until(look, 40), "no node leads")
        return found[0]

    def _database(self, target: Callable[[DatabaseNode], object], way: str) -> str:
        self._well(*self.cluster.nodes)
        writer, leader = Writer(self.cluster), self._leader()
        writer.begin()
        for _ in range(5):
            require(writer.write(), "a write fails before anything was done")
        name = leader.host if target(leader) is leader else f"{leader.host}/postgres"
        began = time.monotonic()
        self.cluster.harm(way, name)
        require(wait_until(writer.write, 60), "no write gets through for a minute")
        outage = time.monotonic() - began
        for _ in range(5):
            writer.write()
        now = self._leader()
        began = time.monotonic()
        self.cluster.harm("mend", leader.host)
        self._well(*self.cluster.nodes, within=90)
        back = time.monotonic() - began
        require(not writer.lost(), f"acknowledged and lost: {sorted(writer.lost())}")
        require(now is not leader, f"{leader.host} leads as before")
        require(self._leader() is now, f"{leader.host} has taken the lead back from {now.host}")
        kept = f"none of {len(writer.acknowledged)} lost"
        return f"writes again after {outage:.1f} s at {now.host}, {leader.host} is back after {back:.1f} s, {kept}"

    def _standby(self) -> str:
        self._well(*self.cluster.nodes)
        writer, leader = Writer(self.cluster), self._leader()
        standby = next(node for node in self.cluster.nodes if node is not leader)
        writer.begin()
        began = time.monotonic()
        self.cluster.harm("kill", standby.host)
        require(wait_until(writer.write, 60), "no write gets through for a minute")
        outage = time.monotonic() - began
        self.cluster.harm("mend", standby.host)
        self._well(*self.cluster.nodes, within=90)
        require(not writer.lost(), f"acknowledged and lost: {sorted(writer.lost())}")
        return f"the first write is through after {outage:.1f} s"

    def _voter(self) -> str:
        writer, leader = Writer(self.cluster), self._leader()
        writer.begin()
        voter = self.cluster.voters[0]
        self.cluster.harm("cut", voter.host)
        end = time.monotonic() + 8
        failures = 0
        while time.monotonic() < end:
            failures += not writer.write()
        self.cluster.harm("mend", voter.host)
        self._well(voter)
        require(failures == 0, f"{failures} writes failed")
        require(self._leader() is leader, "the leader changed")
        return f"{len(writer.acknowledged)} writes, none failed"

    # Redis

    def _group(self) -> list[RedisNode]:
        return [node for node in self.cluster.caches if node.host in GROUP]

    def _master(self, *, but: RedisNode | None = None) -> RedisNode | None:
        for node in self._group():
            if node is not but and node.health().words.startswith("master"):
                return node
        return None

    def _takes(self, node: RedisNode) -> bool:
        try:
            return node.call(6379, "SET trial 1 EX 60", 1) == "OK"
        except (OSError, ClusterError):
            return False

    def _redis(self, way: str) -> str:
        self._well(*self._group())
        old = self._master()
        if old is None:
            raise ClusterError("there is no master")
        require(self._takes(old), "the master takes no write before anything was done")
        others = [node for node in self._group() if node is not old]
        began = time.monotonic()
        self.cluster.harm(way, old.host)
        require(wait_until(lambda: any(self._takes(node) for node in others), 30), "no other master within 30 s")
        outage = time.monotonic() - began
        words = f"another one takes writes after {outage:.1f} s"
        if way == "cut":
            require(wait_until(lambda: not self._takes(old), 10), "the one that was cut off goes on taking writes")
            words += f", the old one refuses them after {time.monotonic() - began:.1f} s at most"
        began = time.monotonic()
        self.cluster.harm("mend", old.host)
        require(wait_until(lambda: old.health().words == "replica", 60), f"{old.host} is {old.health().words} after a minute")
        self._well(*self._group())
        return f"{words}, {old.host} is its replica after {time.monotonic() - began:.1f} s"

    # Balancers

    def _reaches(self) -> bool:
        client = self.cluster.network
        with client.inside(CLIENT):
            connection = http.client.HTTPConnection(client.names["cairn"], 80, timeout=0.3)
            try:
                connection.request("GET", "/balancer")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False
            finally:
                connection.close()

    def _address(self, program: str, way: str) -> str:
        self._well(*self.cluster.balancers)
        balancers = self.cluster.balancers
        require(wait_until(lambda: any(each.holds_address() for each in balancers), 10), "nobody has the address")
        holder = next(each for each in balancers if each.holds_address())
        require(wait_until(self._reaches, 5), "the address does not answer before anything was done")
        other: Balancer = next(each for each in self.cluster.balancers if each is not holder)
        began = time.monotonic()
        self.cluster.harm(way, f"{holder.host}/{program}" if program else holder.host)
        require(wait_until(other.holds_address, 20, 0.02), f"{other.host} does not take the address")
        moved = time.monotonic() - began
        require(wait_until(self._reaches, 20, 0.02), "the address does not answer")
        outage = time.monotonic() - began
        self.cluster.harm("mend", holder.host)
        self._well(*self.cluster.balancers)
        require(wait_until(lambda: holder.holds_address() != other.holds_address(), 20), "both have the address")
        require(wait_until(self._reaches, 5), "the address does not answer after all was mended")
        return f"{other.host} has the address after {moved:.1f} s, clients are served after {outage:.1f} s"

    # S3

    def _region(self, way: str, seconds: float) -> str:
        one, two = self.cluster.regions
        self._well(one, two)
        require(one.call("PUT", "trial", body=b"before", host=CLIENT) == 200, f"{one.host} takes no object")
        self.cluster.harm(way, one.host)
        gone = one.call("GET", "trial", host=CLIENT, within=2)
        other = two.call("PUT", "trial", body=b"during", host=CLIENT)
        time.sleep(seconds)
        began = time.monotonic()
        self.cluster.harm("mend", one.host)
        self._well(one)
        back = time.monotonic() - began
        require(gone == 0, f"{one.host} answers {gone} though it should not")
        require(other == 200, f"{two.host} answers {other}")
        found = one.request("GET", "trial", host=CLIENT)
        require(found == (200, b"before"), f"{one.host} has lost its object: {found}")
        return f"{two.host} serves, {one.host} does not, and does {back:.1f} s after it was mended, with its object"

    def _lost_region(self) -> str:
        one, two = self.cluster.regions
        self._well(one, two)
        require(one.call("PUT", "trial", body=b"before", host=CLIENT) == 200, f"{one.host} takes no object")
        self.cluster.harm("kill", one.host)
        other = two.call("PUT", "trial", body=b"during", host=CLIENT)
        began = time.monotonic()
        self.cluster.harm("mend", one.host)
        self._well(one)
        back = time.monotonic() - began
        require(other == 200, f"{two.host} answers {other}")
        expected = 404 if one.store == "memstore" else 200
        found = one.call("GET", "trial", host=CLIENT)
        require(found == expected, f"{one.host} answers {found} for its object, not {expected}")
        words = "empty" if expected == 404 else "with its object"
        return f"{two.host} serves, {one.host} is back {words} after {back:.1f} s"

    def _pair(self) -> str:
        one, two = self.cluster.regions
        self.cluster.harm("cut", one.host, ["block1"])
        here, there = one.call("HEAD", "", host="block1", within=2), one.call("HEAD", "", host="block2", within=5)
        other = two.call("HEAD", "", host="block1", within=5)
        self.cluster.harm("mend", one.host)
        require((here, there, other) == (0, 200, 200), f"block1 sees {here} and {other}, block2 {there}")
        return f"block1 sees only {two.host}, block2 sees both"

    def _gateway(self) -> str:
        one = self.cluster.regions[0]
        self.cluster.harm("kill", f"{one.host}/gateway")
        require(one.call("HEAD", "", host=CLIENT, within=2) == 0, "it answers though it is dead")
        began = time.monotonic()
        self.cluster.harm("mend", one.host)
        self._well(one)
        return f"serves again {time.monotonic() - began:.1f} s after its start"
