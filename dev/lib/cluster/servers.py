"""Cairn's own processes: each has one role, and a host of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.network import Network
from cluster.part import Health, Part
from cluster.s3 import Keys
from cluster.shipped import shipped

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
class Secrets:
    """What opens the rest of the cluster; where it is, the shipped file says."""

    password: str
    keys: Keys
    keyring: Path


def settings(secrets: Secrets) -> str:
    """The configuration that all processes share, as it is shipped, but for what is secret here and what may be sooner."""
    sentinels, alone = "redis+sentinel://:CHANGE-ME@", "redis://:CHANGE-ME@10.84.84.84:6379"
    group = f"{sentinels}10.84.84.81:26379,10.84.84.82:26379,10.84.84.83:26379/cairn"
    changes = {
        "/etc/cairn/keyring": str(secrets.keyring),
        "drain: 10s": "drain: 3s\nlease: 10s",
        # Regions are called as their hosts are.
        "- name: a\n": "- name: s3a\n",
        "- name: b\n": "- name: s3b\n",
        "access_key: CHANGE-ME": f"access_key: {secrets.keys.access}",
        "secret_key: CHANGE-ME": f"secret_key: {secrets.keys.secret}",
        # The queue at work is the one that shares nothing with bus and cache.
        f"    - {group}\n    - {alone}\n": f"    - {alone}\n    - {group}\n",
        "CHANGE-ME": secrets.password,
    }
    return shipped("cairn.yml", changes)


class CairnProcess(Part):
    """`cairn-server run` with one role."""

    def __init__(
        self, network: Network, host: str, root: Path, role: str, programs: Path, secrets: Secrets, polls: int
    ) -> None:
        super().__init__(network, host, root)
        self.secrets = secrets
        self.settings = self.folder / "cairn.yml"
        words = [programs / "cairn-server", "run", "--config", self.settings, "--role", role]
        env = {"CAIRN_LISTEN": f"{self.address}:{PORT}"}
        if role == "notify":
            env |= {"CAIRN_NOTIFY_LISTEN": f"{self.address}:{POLL_PORT}", "CAIRN_NOTIFY_CAPACITY": str(polls)}
        self.add("cairn-server", words, env=env)

    def prepare(self) -> None:
        """Writes its configuration, for its owner only: passwords stand in it."""
        self.settings.touch(0o600)
        self.settings.write_text(settings(self.secrets))

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
