"""Hosts as network namespaces on one bridge, and cables that can be cut."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.needs import ClusterError, program

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")
# `ip netns exec` shows the files in here in place of those in /etc.
OVERLAYS = Path("/etc/netns")

_libc = ctypes.CDLL(None, use_errno=True)


def command(words: Sequence[str | Path], *, input: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Runs a short command and returns what it said; fails with what it complained about."""
    texts = [str(word) for word in words]
    done = subprocess.run(texts, input=input, env=env, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(texts)[:300]} ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
    return done.stdout


@dataclass(frozen=True)
class Network:
    """A bridge without an address, so that nothing gets in or out but through a host's namespace."""

    folder: Path
    addresses: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def prefix(self) -> str:
        """What the names of this network begin with: several clusters can be there at once."""
        return "cn" + hashlib.sha256(str(self.folder).encode()).hexdigest()[:4]

    def namespace(self, host: str) -> str:
        """The namespace of a host; its end of the cable at the bridge has the same name."""
        if host not in self.addresses:
            raise ClusterError(f"there is no host {host}: there are {', '.join(self.addresses)}")
        return f"{self.prefix}-{host}"

    def make(self) -> None:
        """Makes the bridge, and for each host a namespace with a cable to it."""
        try:
            command([program("ip"), "link", "add", self.prefix, "type", "bridge"])
        except ClusterError as error:
            raise ClusterError(f"no bridge can be made, are namespaces allowed here? {error}") from None
        command([program("ip"), "link", "set", self.prefix, "up"])
        known = "".join(f"{address} {name}\n" for name, address in {**self.addresses, **self.names}.items())
        for host, address in self.addresses.items():
            name = self.namespace(host)
            command([program("ip"), "netns", "add", name])
            (OVERLAYS / name).mkdir(parents=True, exist_ok=True)
            (OVERLAYS / name / "hosts").write_text(f"127.0.0.1 localhost\n{known}")
            plan = [
                f"link add {name} type veth peer name eth0 netns {name}",
                f"link set {name} master {self.prefix} up",
            ]
            command([program("ip"), "-batch", "-"], input="\n".join(plan) + "\n")
            plan = ["link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up"]
            command([program("ip"), "-n", name, "-batch", "-"], input="\n".join(plan) + "\n")
        chain = "add chain bridge {0} forward {{ type filter hook forward priority 0; }}"
        command([program("nft"), "-f", "-"], input=f"add table bridge {self.prefix}\n{chain.format(self.prefix)}\n")

    def remove(self) -> None:
        """Removes all of it, and whatever is left of a network of this name."""
        subprocess.run([program("nft"), "delete", "table", "bridge", self.prefix], capture_output=True)
        for path in sorted(NAMESPACES.glob(f"{self.prefix}-*")):
            command([program("ip"), "netns", "del", path.name])
        # A namespace takes its end of the cable with it when its last process is gone, which may take a moment.
        for link in sorted(Path("/sys/class/net").glob(f"{self.prefix}*")):
            subprocess.run([program("ip"), "link", "del", link.name], capture_output=True)
        for path in OVERLAYS.glob(f"{self.prefix}-*"):
            shutil.rmtree(path)
        with contextlib.suppress(OSError):
            OVERLAYS.rmdir()

    @property
    def exists(self) -> bool:
        """Whether it was made."""
        return Path(f"/sys/class/net/{self.prefix}").exists()

    # Who is in a namespace

    def enter(self, host: str) -> list[str]:
        """The words before a command that is to run on a host."""
        return [program("ip"), "netns", "exec", self.namespace(host)]

    @contextlib.contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Lets the calling thread open its sockets on a host. Names are those of this machine: use addresses."""
        with Path("/proc/thread-self/ns/net").open() as here, (NAMESPACES / self.namespace(host)).open() as there:
            if _libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                raise ClusterError(f"can't enter {self.namespace(host)}: {os.strerror(ctypes.get_errno())}")
            try:
                yield
            finally:
                if _libc.setns(here.fileno(), CLONE_NEWNET) != 0:
                    raise SystemExit(f"can't leave {self.namespace(host)}: {os.strerror(ctypes.get_errno())}")

    def processes(self, host: str) -> list[int]:
        """Every process on a host, in the order of their ids."""
        path = NAMESPACES / self.namespace(host)
        if not path.exists():
            return []
        found = sorted(int(word) for word in command([program("ip"), "netns", "pids", path.name]).split())
        # Who is `inside` for a question, such as another dev/cluster, still sees the files of this machine: it is a guest.
        ours = _mounts("self")
        return [pid for pid in found if _mounts(str(pid)) not in ("", ours)]

    # Harm

    def cut(self, host: str, others: Sequence[str] = ()) -> None:
        """Drops every frame from and to a host, or those between it and the others. Nobody is told: no link goes down."""
        name = self.namespace(host)
        pairs = [(name, self.namespace(other)) for other in others]
        matches = [f'iifname "{a}" oifname "{b}"' for one, two in pairs for a, b in ((one, two), (two, one))]
        matches = matches or [f'iifname "{name}"', f'oifname "{name}"']
        rules = "".join(f'add rule bridge {self.prefix} forward {match} drop comment "{host}"\n' for match in matches)
        command([program("nft"), "-f", "-"], input=rules)

    def mend(self, host: str) -> None:
        """Takes back every cut that was made at a host."""
        for line in self._rules():
            if f'comment "{host}"' in line:
                handle = line.rpartition("# handle ")[2]
                words = ["delete", "rule", "bridge", self.prefix, "forward", "handle", handle]
                command([program("nft"), *words])

    def cuts(self) -> set[str]:
        """The hosts at which a cut was made."""
        return {host for host in self.addresses if any(f'comment "{host}"' in line for line in self._rules())}

    def _rules(self) -> list[str]:
        return command([program("nft"), "-a", "list", "chain", "bridge", self.prefix, "forward"]).splitlines()


def _mounts(pid: str) -> str:
    """Which view of the files a process has: `ip netns exec` makes one of its own. Nothing when the process is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return ""
