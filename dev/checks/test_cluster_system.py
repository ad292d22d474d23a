"""What the drill of the whole cluster reads and decides without one: rows, buckets, signatures, files, certificates."""

from __future__ import annotations

import json
import ssl
import tempfile
import unittest
from datetime import UTC, datetime
from pathlib import Path

from cluster.balancer import AUTHORITY, make_certificate
from cluster.network import Network
from cluster.part import Health, Part
from cluster.plan import Choices, Cluster
from cluster.s3 import Keys, listed_objects, signed
from cluster.servers import Secrets, settings
from cluster_system import ClusterSystem, keep_logs, problem_of_buckets, row_of
from drill_parts import HARMS, PARTS, system_named
from single_server import SingleServer

class Rows(unittest.TestCase):
    """What psql says."""

    def test_bytes_numbers_texts_and_nothing_are_told_apart(self) -> None:
        line = json.dumps({"id": "\\x0aff", "revision": 1 << 60, "name": "eve", "upload": None, "empty": "\\x"})
        self.assertEqual(row_of(line), (b"\x0a\xff", 1 << 60, "eve", None, b""))


class Buckets(unittest.TestCase):
    """When a region is whole."""

    def problem(self, here: dict[str, int], there: dict[str, int]) -> str:
        return problem_of_buckets({"s3a": here, "s3b": there}, "s3a")

    def test_the_same_packs_and_no_notes_are_whole(self) -> None:
        self.assertEqual(self.problem({"packs/1": 10, "region": 1}, {"packs/1": 10}), "")

    def test_a_pack_that_is_missing_or_shorter_is_told(self) -> None:
        self.assertIn("1 of 2 packs", self.problem({"packs/1": 10}, {"packs/1": 10, "packs/2": 5}))
        self.assertIn("1 of 1 packs", self.problem({"packs/1": 9}, {"packs/1": 10}))

    def test_what_only_the_other_lacks_is_not_this_region(self) -> None:
        self.assertEqual(self.problem({"packs/1": 10, "packs/2": 5}, {"packs/1": 10}), "")

    def test_notes_are_told(self) -> None:
        note = {"packs/1": 10, "repairs/copy/0a0b/2": 0}
        self.assertIn("1 notes", self.problem({"packs/1": 10}, note))

    def test_no_pack_at_all_proves_nothing(self) -> None:
        self.assertEqual(self.problem({}, {}), "no region has a pack")


class Requests(unittest.TestCase):
    """What is said to S3, and read from it."""

    def test_a_query_is_signed_as_in_the_example_of_the_specification(self) -> None:
        keys = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        moment = datetime(2013, 5, 24, tzinfo=UTC)
        found = signed("GET", "examplebucket.s3.amazonaws.com", "/", b"", keys, moment, "max-keys=2&prefix=J")
        signature = found["Authorization"].rpartition("=")[2]
        self.assertEqual(signature, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")

    def test_a_page_of_a_listing(self) -> None:
        page = """<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Contents><Key>packs/a</Key><Size>12</Size></Contents><Contents><Key>b &amp; c</Key><Size>0</Size></Contents>
            <NextContinuationToken>t=/</NextContinuationToken></ListBucketResult>"""
        self.assertEqual(listed_objects(page.encode()), ({"packs/a": 12, "b & c": 0}, "t=/"))
        self.assertEqual(listed_objects(b"<ListBucketResult></ListBucketResult>"), ({}, ""))


class Files(unittest.TestCase):
    """What processes are told, and what is kept of them."""

    def test_secrets_are_put_into_the_shipped_file(self) -> None:
        found = settings(Secrets("a-password", Keys("a-key", "a-word"), Path("/a/keyring")))
        self.assertNotIn("CHANGE-ME", found)
        self.assertEqual((found.count("a-key"), found.count("a-word"), found.count("a-password")), (2, 2, 6))
        self.assertIn("keyring_file: /a/keyring\n", found)

    def test_regions_bear_the_names_of_their_hosts(self) -> None:
        found = settings(Secrets("p", Keys("k", "w"), Path("/k")))
        self.assertEqual([line.split()[-1] for line in found.splitlines() if "- name:" in line], ["s3a", "s3b"])

    def test_the_queue_at_work_is_the_one_alone(self) -> None:
        found = settings(Secrets("p", Keys("k", "w"), Path("/k")))
        urls = found.partition("urls:\n")[2].splitlines()
        self.assertEqual(urls[0].strip(), "- redis://:p@10.84.84.84:6379")
        self.assertTrue(urls[1].strip().startswith("- redis+sentinel://"))

    def test_only_who_parks_polls_listens_for_them(self) -> None:
        cluster = Cluster(Path("/nowhere"), Choices("/programs", "p", "s", "bluestore", polls=7))
        told = {server.host: server.program("cairn-server").env for server in cluster.servers}
        polls = {"CAIRN_NOTIFY_LISTEN": "10.84.84.41:8485", "CAIRN_NOTIFY_CAPACITY": "7"}
        self.assertEqual(told["notify1"], {"CAIRN_LISTEN": "10.84.84.41:8484", **polls})
        self.assertEqual(told["api2"], {"CAIRN_LISTEN": "10.84.84.22:8484"})

    def test_logs_are_kept_under_the_names_of_hosts_and_programs(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "hosts" / "api1").mkdir(parents=True)
            (folder / "hosts" / "api1" / "cairn-server.log").write_text("words")
            (folder / "hosts" / "api1" / "osd.0.ceph.log").write_text("many words")
            keep_logs(folder / "hosts", folder / "logs")
            self.assertEqual([path.name for path in (folder / "logs").iterdir()], ["api1-cairn-server.log"])

    def test_a_certificate_is_good_for_name_and_address_by_its_authority(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_certificate(folder, ["DNS:cairn", "IP:127.0.0.1"])
            client = ssl.create_default_context(cafile=str(folder / AUTHORITY))
            server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.load_cert_chain(folder / "cairn.pem")
            for host in ("cairn", "127.0.0.1"):
                shaken_hands(client, server, host)
            with self.assertRaises(ssl.SSLCertVerificationError):
                shaken_hands(client, server, "another")


def shaken_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
    """Lets the two speak through memory until both are content."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


class Told(Part):
    """A host of which is known what it would say."""

    said = Health(True, "replica")

    def health(self) -> Health:
        return self.said

    def role(self) -> str:
        return self.said.words

    def holds_address(self) -> bool:
        return self.said.words == "has the address"


class Systems(unittest.TestCase):
    """Which parts there are, and who is harmed."""

    def system(self) -> ClusterSystem:
        """One without a cluster behind it."""
        found = ClusterSystem.__new__(ClusterSystem)
        found.cluster = Cluster(Path("/nowhere"), Choices("/programs", "p", "s", "bluestore"))
        found._harmed = {}
        return found

    def put(self, network: Network, **hosts: str) -> list[Told]:
        found = []
        for host, words in hosts.items():
            part = Told(network, host, Path("/nowhere"))
            part.said = Health(True, words)
            found.append(part)
        return found

    def test_systems_have_short_names(self) -> None:
        self.assertIs(system_named("cluster"), ClusterSystem)
        self.assertIs(system_named("single"), SingleServer)
        self.assertIs(system_named("single_server:SingleServer"), SingleServer)

    def test_it_has_all_parts_and_harms(self) -> None:
        system = self.system()
        self.assertEqual(system.parts(), list(PARTS))
        self.assertTrue(all(system.harms(part) == list(HARMS) and system.takes_over(part) for part in PARTS))

    def test_patroni_is_given_its_time(self) -> None:
        self.assertGreater(self.system().least_hold("primary"), 20)
        self.assertEqual(self.system().least_hold("api"), 0)
        self.assertEqual(SingleServer.least_hold(self.system(), "primary"), 0)  # type: ignore[arg-type]

    def test_who_is_at_work_is_harmed(self) -> None:
        system = self.system()
        network = system.cluster.network
        system.cluster.nodes = self.put(network, db1="sync_standby", db2="leader")  # type: ignore[assignment]
        system.cluster.caches = self.put(network, cache1="replica", cache2="master")  # type: ignore[assignment]
        system.cluster.balancers = self.put(network, lb1="stands by", lb2="has the address")  # type: ignore[assignment]
        wanted = {"primary": "db2", "standby": "db1", "cache": "cache2", "balancer": "lb2"}
        wanted |= {"api": "api1", "blocks": "block1", "notify": "notify1", "region": "s3a"}
        for part, host in wanted.items():
            self.assertEqual([each.host for each in system._at_work(part)], [host])
        self.assertEqual([each.host for each in self.system()._at_work("caches")], ["cache1", "cache2", "cache3"])

    def test_nobody_at_work_is_told(self) -> None:
        system = self.system()
        system.cluster.nodes = self.put(system.cluster.network, db1="replica")  # type: ignore[assignment]
        with self.assertRaisesRegex(RuntimeError, "nobody is the primary"):
            system._at_work("primary")

    def test_devices_know_one_address_and_polls_have_ports_of_their_own(self) -> None:
        system = self.system()
        self.assertEqual(system.endpoint, ("10.84.84.10", 443))
        self.assertEqual(system.endpoints("notify"), [("10.84.84.41", 8485), ("10.84.84.42", 8485)])
        self.assertEqual(system.endpoints("blocks"), [("10.84.84.31", 8484), ("10.84.84.32", 8484)])


if __name__ == "__main__":
    unittest.main()
