"""S3: a whole small Ceph on one host (monitor, store, gateway), one for each region, with nothing in common."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import shutil
import signal
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from cluster.needs import ClusterError, program
from cluster.network import Network, command
from cluster.part import Health, Part
from cluster.program import wait_until

PORT = 7480
BUCKET = "cairn"
IDENTITIES = ("mon.", "client.admin", "client.rgw.gateway", "osd.0")

# A monitor, a store and a gateway of one copy each. Sealed by cephx: gateways of this version do not connect without.
SETTINGS = """\
[global]
fsid = {fsid}
mon host = v2:{address}:3300
ms bind msgr1 = false
public addr = {address}
cluster addr = {address}
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.ceph.log
pid file =
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 0
mon osd min in ratio = 0
[mon]
mon data = {folder}/mon
[osd]
osd data = {folder}/osd
osd objectstore = {store}
osd memory target = 939524096
memstore device bytes = 4294967296
bluestore block size = 10737418240
bluestore cache size = 33554432
osd class update on start = false
osd scrub load threshold = 0
# A gateway that was killed is forgotten after this time, and its successor serves. With less, one that had to wait for the
# processor is forgotten too.
osd client watch timeout = 10
[client]
rgw frontends = beast endpoint={address}:{port}
rgw enable apis = s3, admin
rgw thread pool size = 32
rgw gc obj min wait = 60
rgw dns name =
"""


@dataclass(frozen=True)
class Keys:
    """What opens a bucket."""

    access: str
    secret: str


class Region(Part):
    """One region: what a provider's endpoint is to a customer."""

    def __init__(self, network: Network, host: str, root: Path, keys: Keys, store: str = "bluestore") -> None:
        super().__init__(network, host, root)
        self.keys, self.store = keys, store
        self.settings = self.folder / "ceph.conf"
        common = ["-c", self.settings, "-f"]
        self.add("monitor", [program("ceph-mon"), *common, "-i", "a"])
        self.add("store", [program("ceph-osd"), *common, "-i", "0"])
        self.add("gateway", [program("radosgw"), *common, "-n", "client.rgw.gateway"])

    @property
    def endpoint(self) -> str:
        """Where the region's API is."""
        return f"http://{self.address}:{PORT}"

    def prepare(self) -> None:
        """Makes the monitor's map and the store's folder, and starts both, since users are made in a running cluster."""
        fsid, disk = str(uuid.uuid4()), str(uuid.uuid4())
        folder, address = self.folder, self.address
        self.settings.write_text(
            SETTINGS.format(fsid=fsid, address=address, folder=folder, store=self.store, port=PORT)
        )
        for name in ("mon", "osd"):
            (folder / name).mkdir()
        allowed = [word for kind in ("mon", "osd", "mgr") for word in ("--cap", kind, "allow *")]
        (folder / "keyring").touch(0o600)
        for name in IDENTITIES:
            command([program("ceph-authtool"), folder / "keyring", "--gen-key", "-n", name, *allowed])
        place = f"[v2:{address}:3300]"
        command([program("monmaptool"), "--create", "--fsid", fsid, "--addv", "a", place, folder / "monmap"])
        self._tool("ceph-mon", "-i", "a", "--mkfs", "--monmap", folder / "monmap", "--keyring", folder / "keyring")
        self.program("monitor").start()
        self._tool("ceph", "osd", "new", disk, "0")
        self._tool("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        self.program("store").start()
        self._tool("ceph", "osd", "set", "noout")
        self._tool(
            "radosgw-admin", "-n", "client.rgw.gateway", "user", "create", "--uid", "cairn", "--display-name", "Cairn",
            "--access-key", self.keys.access, "--secret", self.keys.secret,
        )  # fmt: skip

    def _tool(self, name: str, *words: str | Path) -> str:
        return command([*self.network.enter(self.host), program(name), "-c", self.settings, *words])

    def wait(self, within: float = 60) -> None:
        """Waits until the gateway answers, and makes the bucket if there is none."""
        if not wait_until(lambda: self.ask(PORT, "/")[0] == 200, within, 0.1):
            raise ClusterError(f"the gateway of {self.host} does not answer:\n{self.tail()}")
        status = self.call("PUT", "")
        if status not in (200, 409):
            raise ClusterError(f"{self.host} makes no bucket: {status}\n{self.tail()}")
        super().wait(within)

    def mend(self) -> None:
        """Takes back what was done to it. A store in memory that was killed is gone: the region is made anew, empty."""
        if self.store != "memstore" or self.program("store").pids():
            super().mend()
            # A gateway that its store had forgotten, as after a frost, may hang for good.
            if not wait_until(lambda: self.ask(PORT, "/")[0] == 200, 8, 0.1):
                gateway = self.program("gateway")
                if gateway.pids():
                    gateway.signal(signal.SIGKILL)
                gateway.start()
            return
        self.network.mend(self.host)
        self.thaw()
        self.stop()
        shutil.rmtree(self.folder)
        self.first_start()
        self.wait()

    def health(self) -> Health:
        """Whether the bucket is there, as the owner of the keys sees it."""
        if self.ask(PORT, "/", 1)[0] != 200:
            return Health(False, "the gateway does not answer")
        status = self.call("HEAD", "", within=3)
        return Health(status == 200, "serves" if status == 200 else f"the bucket answers {status}")

    def call(self, method: str, key: str, *, body: bytes = b"", host: str = "", within: float = 30) -> int:
        """The status of a signed request for the bucket or an object in it, from a host or from here; 0 for none."""
        return self.request(method, key, body=body, host=host, within=within)[0]

    def request(
        self, method: str, key: str, *, body: bytes = b"", host: str = "", within: float = 30
    ) -> tuple[int, bytes]:
        """The status and the body of the answer to such a request."""
        path = f"/{BUCKET}/{quote(key)}" if key else f"/{BUCKET}"
        return self._send(method, path, "", body, host, within)

    def objects(self) -> dict[str, int]:
        """Every object of the bucket with its size."""
        found: dict[str, int] = {}
        more = {}
        while True:
            # A signature has the fields of a query in their order, each coded as RFC 3986 says.
            query = urlencode(sorted({"list-type": "2", **more}.items()), quote_via=quote, safe="")
            status, body = self._send("GET", f"/{BUCKET}", query, b"", "", 30)
            if status != 200:
                raise ClusterError(f"{self.host} does not list its bucket: {status} {body[:200].decode(errors='replace')}")
            page, following = listed_objects(body)
            found |= page
            if not following:
                return found
            more = {"continuation-token": following}

    def _send(
        self, method: str, path: str, query: str, body: bytes, host: str, within: float
    ) -> tuple[int, bytes]:
        headers = signed(method, f"{self.address}:{PORT}", path, body, self.keys, datetime.now(UTC), query)
        with self.network.inside(host or self.host):
            connection = http.client.HTTPConnection(self.address, PORT, timeout=within)
            try:
                connection.request(method, f"{path}?{query}" if query else path, body or None, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                return 0, b""
            finally:
                connection.close()


def listed_objects(document: bytes) -> tuple[dict[str, int], str]:
    """The keys and sizes of a page of a listing, and the token of the next page, if there is one."""
    root = ElementTree.fromstring(document)
    space = root.tag.rpartition("}")[0] + "}" if root.tag.startswith("{") else ""
    found = {
        each.findtext(f"{space}Key", ""): int(each.findtext(f"{space}Size", "0"))
        for each in root.iter(f"{space}Contents")
    }
    return found, root.findtext(f"{space}NextContinuationToken", "")


def signed(
    method: str, host: str, path: str, body: bytes, keys: Keys, now: datetime, query: str = ""
) -> dict[str, str]:
    """The headers of a request, signed as AWS Signature Version 4 says; its query is coded and in order."""
    time, day, digest = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}", hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": time}
    names = ";".join(headers)
    lines = [method, path, query, *(f"{name}:{value}" for name, value in headers.items()), "", names, digest]
    scope = f"{day}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", time, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = f"AWS4{keys.secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    seal = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={seal}"
    return {name.title(): value for name, value in headers.items()} | {"Authorization": credential}
