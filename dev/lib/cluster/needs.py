"""What a cluster needs of this machine, and what to do when it isn't there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

# Where Debian puts them, before whatever else has the same names.
FOLDERS = f"/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin:{os.environ.get('PATH', '')}"

# The Debian package of each program.
PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "curl": "curl",
    "openssl": "openssl",
    "setpriv": "util-linux",
    "etcd": "etcd-server",
    "patroni": "patroni",
    "postgres": "postgresql-15",
    "psql": "postgresql-client-15",
    "redis-server": "redis-server",
    "redis-sentinel": "redis-sentinel",
    "ceph": "ceph-common",
    "ceph-authtool": "ceph-common",
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "radosgw": "radosgw",
    "radosgw-admin": "ceph-common",
    "monmaptool": "ceph-common",
    "haproxy": "haproxy",
    "keepalived": "keepalived",
}

# Patroni only recommends what it speaks to etcd with.
MODULES = {Path("/usr/lib/python3/dist-packages/etcd"): "python3-etcd"}


class ClusterError(Exception):
    """Something of the cluster can't be started, or does not do what it was told."""


def program(name: str) -> str:
    """The path of a program."""
    path = shutil.which(name, path=FOLDERS)
    if not path:
        raise ClusterError(f"there is no {name}: apt-get install {PACKAGES[name]}")
    return path


def missing_packages(programs: Iterable[str] = PACKAGES) -> list[str]:
    """The Debian packages that are not installed, each once."""
    missing = [PACKAGES[name] for name in programs if not shutil.which(name, path=FOLDERS)]
    missing += [package for path, package in MODULES.items() if not path.exists()]
    return sorted(set(missing))


def require_root() -> None:
    """Says so when we may not do what a cluster is made of."""
    if os.geteuid() != 0:
        raise ClusterError("a cluster is made of network namespaces: run dev/cluster as root")


def require_machine() -> None:
    """Says what this machine lacks, all of it at once."""
    require_root()
    if missing := missing_packages():
        raise ClusterError(f"Debian packages are missing: apt-get install {' '.join(missing)}")
