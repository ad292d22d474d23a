"""Cairn's own processes: each has one role, and a host of its own."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.network import Network
from cluster.part import Health, Part

PORT = 8484
# Where the notify processes park polls that come with a poll token: what is parked there needs the least.
POLL_PORT = 8485
# Which hosts have which role.
ROLES = {
    "api": ("api1", "api2"),
    "block": ("block1", "block2"),
    "notify": ("notify1", "notify2"),
    "maintenance": ("work1", "work2"),
}


@dataclass(frozen=True)
class Bucket:
    """A region's bucket and what opens it."""

    name: str
    endpoint: str
    bucket: str
    access: str
    secret: str


@dataclass(frozen=True)
class Backends:
    """Where the rest of the cluster is, as the processes are told."""

    password: str
    databases: list[str]
    sentinels: list[str]
    master: str
    lone_queue: str
    buckets: list[Bucket]
    keyring: Path
    # How many polls a notify process holds.
    polls: int = 100_000


def configuration(address: str, backends: Backends, role: str = "") -> dict[str, object]:
    """The configuration of a process on a host; its role is told on the command line."""
    # Whichever of them takes writes.
    hosts = ",".join(backends.databases)
    database = f"postgresql://cairn:{backends.password}@{hosts}/cairn?target_session_attrs=read-write"
    # The Sentinels know where the master is.
    group = f"redis+sentinel://:{backends.password}@{','.join(backends.sentinels)}/{backends.master}"
    polls = {"notify": {"listen": f"{address}:{POLL_PORT}", "capacity": backends.polls}} if role == "notify" else {}
    return {
        "keyring_file": str(backends.keyring),
        "listen": f"{address}:{PORT}",
        # The balancers speak TLS, and nobody else gets here.
        "insecure_listen": True,
        "drain": "3s",
        "lease": "10s",
        "database": {"kind": "postgresql", "url": database, "pool": 16},
        "storage": {
            "kind": "s3",
            # While a region is away, writes go on with the other, and the first is repaired when it is back.
            "policy": "one",
            "regions": [
                {
                    "name": bucket.name,
                    "endpoint": bucket.endpoint,
                    "bucket": bucket.bucket,
                    "access_key": bucket.access,
                    "secret_key": bucket.secret,
                    "path_style": True,
                }
                for bucket in backends.buckets
            ],
        },
        "bus": {"kind": "redis", "url": group},
        # The queue at work is the one that shares nothing with bus and cache.
        "queue": {"kind": "redis", "urls": [f"redis://:{backends.password}@{backends.lone_queue}", group]},
        "cache": {"kind": "redis", "url": group},
        "limits": {"kind": "redis", "url": group},
        **polls,
        "log": {"level": "info"},
    }


def yaml(value: object, depth: int = 0) -> str:
    """Mappings, lists and plain values as YAML: texts are quoted as JSON does, which YAML reads as they are."""
    pad = "  " * depth
    if isinstance(value, dict):
        return "".join(
            f"{pad}{key}:\n{yaml(inner, depth + 1)}"
            if isinstance(inner, dict | list)
            else f"{pad}{key}: {json.dumps(inner)}\n"
            for key, inner in value.items()
        )
    if isinstance(value, list):
        # The first key of a mapping stands beside the dash.
        return "".join(
            f"{pad}-{yaml(inner, depth + 1)[len(pad) + 1 :]}"
            if isinstance(inner, dict)
            else f"{pad}- {json.dumps(inner)}\n"
            for inner in value
        )
    return f"{pad}{json.dumps(value)}\n"


class CairnProcess(Part):
    """`cairn-server run` with one role."""

    def __init__(self, network: Network, host: str, root: Path, role: str, programs: Path, backends: Backends) -> None:
        super().__init__(network, host, root)
        self.role, self.backends = role, backends
        self.settings = self.folder / "cairn.yml"
        words = [programs / "cairn-server", "run", "--config", self.settings, "--role", role]
        self.add("cairn-server", words)

    def prepare(self) -> None:
        """Writes its configuration, for its owner only: passwords stand in it."""
        self.settings.touch(0o600)
        self.settings.write_text(yaml(configuration(self.address, self.backends, self.role)))

    def health(self) -> Health:
        """Whether it wants requests."""
        status, text = self.ask(PORT, "/ready", 3)
        words = "ready" if status == 200 else f"{status} {text.strip()[:80]}" if status else "does not answer"
        return Health(status == 200, words)

    def stop(self) -> None:
        """Lets it finish what it has."""
        self.program("cairn-server").stop(30)
        super().stop()

    @staticmethod
    def is_built(programs: Path) -> bool:
        """Whether the program is there."""
        return shutil.which(str(programs / "cairn-server")) is not None
