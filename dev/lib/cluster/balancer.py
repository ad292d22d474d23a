"""HAProxy twice, and keepalived, which holds the one address that clients know on a host whose HAProxy lives."""

from __future__ import annotations

from pathlib import Path

from cluster.needs import program
from cluster.network import Network, command
from cluster.part import Health, Part
from cluster.shipped import shipped

AUTHORITY = "ca.pem"


def make_certificate(folder: Path, names: list[str]) -> None:
    """Makes an authority, of which clients are told the certificate, and what it signs for the balancers: certificate and
    key in one file, as HAProxy wants it."""
    tool, authority, key = program("openssl"), folder / AUTHORITY, folder / "cairn.key"
    new = ["req", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30"]
    command([tool, *new, "-x509", "-subj", "/CN=the drill's authority", "-keyout", folder / "ca.key", "-out", authority])
    command([tool, *new, "-subj", "/CN=cairn", "-keyout", key, "-out", folder / "cairn.csr"])
    (folder / "names").write_text(f"subjectAltName={','.join(names)}\n")
    sign = ["x509", "-req", "-days", "30", "-CA", authority, "-CAkey", folder / "ca.key", "-CAcreateserial"]
    command([tool, *sign, "-in", folder / "cairn.csr", "-extfile", folder / "names", "-out", folder / "cairn.crt"])
    both = folder / "cairn.pem"
    both.touch(0o600)
    both.write_text((folder / "cairn.crt").read_text() + key.read_text())


class Balancer(Part):
    """One of the two hosts."""

    def __init__(self, network: Network, host: str, root: Path) -> None:
        super().__init__(network, host, root)
        folder = self.folder
        self.add("haproxy", [program("haproxy"), "-db", "-f", folder / "haproxy.cfg"])
        marks = [folder / name for name in ("parent.pid", "vrrp.pid", "checkers.pid")]
        words = [program("keepalived"), "--dont-fork", "--log-console", "--log-detail", "-f", folder / "keepalived.conf"]
        words += [word for pair in zip(("-p", "-r", "-c"), marks, strict=True) for word in pair]
        self.add("keepalived", words, leftovers=marks)

    def prepare(self) -> None:
        """Writes its files."""
        changes = {
            "/run/haproxy/admin.sock": f"{self.folder}/admin.sock",
            "maxconn 200000": "maxconn 9000",
            "/etc/haproxy/cairn.pem": f"{self.folder.parent.parent}/tls/cairn.pem",
        }
        (self.folder / "haproxy.cfg").write_text(shipped("haproxy/haproxy.cfg", changes))
        (self.folder / "keepalived.conf").write_text(shipped(f"keepalived/{self.host}.conf", {}))
        (self.folder / "keepalived.conf").chmod(0o644)

    def holds_address(self) -> bool:
        """Whether clients that ask for the service get here, as this host sees it."""
        words = [*self.network.enter(self.host), program("ip"), "-4", "-o", "addr", "show", "dev", "eth0"]
        return f" {self.network.names['cairn']}/" in command(words)

    def health(self) -> Health:
        """Well is a HAProxy that answers, with the address or without."""
        if self.ask(80, "/balancer", 1)[0] != 200:
            return Health(False, "HAProxy does not answer")
        if not self.program("keepalived").pids():
            return Health(False, "no keepalived")
        return Health(True, "has the address" if self.holds_address() else "stands by")
