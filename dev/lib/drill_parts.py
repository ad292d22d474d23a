"""What a drill wants of the system that it harms: one embedded server, or a whole cluster."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

# The parts of the table "What fails" in ARCHITECTURE.md, by the names that `harm` takes; `caches` is the cache with its replicas.
PARTS = ("balancer", "api", "blocks", "region", "cache", "caches", "primary", "standby", "notify", "queue")
# A process that dies, one that stops answering but keeps its connections, and one that nobody reaches.
HARMS = ("kill", "freeze", "cut")

Endpoint = tuple[str, int]


class Cluster(Protocol):
    """A running system with two of everything that may fail."""

    name: str
    # How a question writes an id: "sqlite" as X'0a', "postgresql" as a bytea.
    style: str

    # The authority by which devices know the virtual address; None when TLS is not spoken there.
    tls: ssl.SSLContext | None

    @property
    def endpoint(self) -> Endpoint:
        """The virtual address that devices use."""

    def endpoints(self, role: str) -> list[Endpoint]:
        """Where each process of a role is reached by itself: "api", "blocks", "notify"."""

    def parts(self) -> list[str]:
        """Which of PARTS there are."""

    def harms(self, part: str) -> list[str]:
        """Which of HARMS can be done to a part."""

    def least_hold(self, part: str) -> float:
        """For how many seconds a part has to stay away at least, so that what takes over can show that it does."""

    def takes_over(self, part: str) -> bool:
        """Whether another serves while a part is away, so that devices may expect to be served."""

    def harm(self, part: str, how: str) -> None:
        """Harms one process (or host, or region) of a part: the one that is at work; of "notify" the first endpoint."""

    def mend(self, part: str) -> None:
        """Brings back what was harmed, and returns once that runs and could be harmed again; what it missed may still be
        under repair."""

    def s3_regions(self) -> list[str]:
        """The names of the regions."""

    def whole(self, region: str, within: float) -> str:
        """Waits until a region lacks nothing; says what it lacks, or nothing."""

    def export(self, region: str, account: str, into: Path) -> str:
        """Writes an account's tree into a new folder from one region alone; says what could not be read, or nothing."""

    def add_account(self, name: str, password: str) -> None:
        """Makes an account."""

    def rows(self, question: str) -> list[tuple]:
        """The answer to a question in SQL on the metadata database's primary; ids and hashes come as bytes."""

    def poll_key(self) -> tuple[int, bytes]:
        """The version of the newest master key, and the key that signs poll tokens."""

    def close(self) -> None:
        """Ends everything."""


# The systems that have a short name.
SYSTEMS = {"single": "single_server:SingleServer", "cluster": "cluster_system:ClusterSystem"}


def system_named(name: str) -> Callable[[Path, Path, int], Cluster]:
    """What makes a system, from its folder, the folder of the programs, and how many polls it is to hold."""
    module, _, factory = SYSTEMS.get(name, name).partition(":")
    try:
        found: Callable[[Path, Path, int], Cluster] = getattr(importlib.import_module(module), factory)
    except (ImportError, AttributeError) as error:
        raise SystemExit(f"there is no system {name}: {error}") from None
    return found
