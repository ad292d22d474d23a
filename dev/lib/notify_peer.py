"""The peer of the notification bench: nginx with nchan, which parks long polls by channel."""

from __future__ import annotations

import re
import resource
import subprocess
import urllib.request
from pathlib import Path

from notify_load import SOURCES, http_request
from peers import children, free_port, wait_for_port

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
RESERVED = 200


def missing() -> str:
    """What to do when the peer is not there; nothing when it is."""
    if MODULE.exists():
        return ""
    return "nginx with nchan is not installed: apt-get install nginx-light libnginx-mod-nchan, or --only cairn"


class Nchan:
    """A running nginx, its memory tuned for many idle connections or as it comes."""

    def __init__(self, folder: Path, polls: int, tuned: bool) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        # The kernel spreads connections over the workers by chance: each has room for a tenth more than its share.
        workers = max(1, -(-polls * 11 // (10 * (files - RESERVED))))
        words = {
            "MODULE": MODULE,
            "FOLDER": folder,
            "WORKERS": workers,
            "FILES": files,
            "CONNECTIONS": files - RESERVED // 4,
            "PORT": self.port,
            "HEADER": "512" if tuned else "1k",
            "CONNECTION_POOL": "256" if tuned else "512",
            "REQUEST_POOL": "1k" if tuned else "4k",
        }
        text = (SOURCES / "nchan.conf").read_text()
        text = re.sub(r"@([A-Z_]+)@", lambda found: str(words[found[1]]), text.split("\n", 2)[2])
        (folder / "nginx.conf").write_text(text)
        self.process = subprocess.Popen(
            ["nginx", "-c", str(folder / "nginx.conf")], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where it listens, for polls and for what wakes them."""
        return "127.0.0.1", self.port

    @property
    def host(self) -> str:
        """The same as text."""
        return f"127.0.0.1:{self.port}"

    @property
    def pids(self) -> list[int]:
        """The master and its workers."""
        return [self.process.pid, *children(self.process.pid)]

    def parked(self) -> int:
        """How many polls it holds."""
        with urllib.request.urlopen(f"http://{self.host}/stats", timeout=60) as answer:
            found = re.search(r"^subscribers: (\d+)", answer.read().decode(), re.MULTILINE)
        return int(found[1]) if found else -1

    def publish(self, namespace: bytes) -> bytes:
        """The request that gives news to a channel."""
        return http_request("POST", f"/publish?id={namespace.hex()}", self.host, {}, b'{"changes":true}')

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
