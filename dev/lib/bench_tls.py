"""What TLS costs a parked poll: spoken by the server itself, and by HAProxy before the notification process."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cairn import Server
from figures import Figures
from kernel_memory import read_memory
from measure import processor_seconds
from messages import MEDIA, listed, number
from notify_crowd import Crowd, Seat
from notify_load import http_request, wait_until
from notify_seed import gather
from notify_server import NotifyProcess
from peers import free_port

CONFIGURATION = """
global
    maxconn {connections}
    nbthread 2
    tune.ssl.default-dh-param 2048
defaults
    mode http
    timeout connect 5s
    timeout client 15m
    timeout server 15m
frontend polls
    bind 127.0.0.1:{front} ssl crt {certificate} alpn http/1.1
    default_backend notify
backend notify
    server one {back}
"""


@dataclass
class Place:
    """Where polls go, and whose memory and time count."""

    name: str
    port: int
    pids: list[int]
    certificate: Path | None = None


class TLSBench:
    """The same crowd parks at each place in turn."""

    def __init__(
        self, folder: Path, programs: Path, figures: Figures, polls: int, say: Callable[[str], None]
    ) -> None:
        self.folder, self.programs, self.figures, self.polls, self.say = folder, programs, figures, polls, say
        self.server = Server(folder / "server", programs)
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"

    def run(self) -> None:
        """Every place, one after the other, with fresh processes."""
        self._make_certificate()
        crowd = gather(self.server, self.folder, self.polls, 1)
        with ExitStack() as ends:
            ends.callback(self.server.kill)
            self._api(crowd, "the API's own route, plain", [])
            options = ["--tls-certificate", str(self.certificate), "--tls-key", str(self.key)]
            self._api(crowd, "the API's own route, TLS (NIOSSL)", options)
            self.server.options = []
            self.server.start()
            process = NotifyProcess(self.server.data, self.programs, self.polls, "notify")
            ends.callback(process.kill)
            process.start()
            port = int(process.host.rpartition(":")[2])
            self._measure(crowd, Place("the notification process, plain", port, [process.pid]))
            proxy, front = self._proxy(process.host)
            ends.callback(proxy.wait)
            ends.callback(proxy.kill)
            place = Place(
                "the notification process, TLS by HAProxy before it", front, [process.pid, proxy.pid], self.certificate
            )
            self._measure(crowd, place)

    def _make_certificate(self) -> None:
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        words += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(
            [*words, "-keyout", str(self.key), "-out", str(self.certificate)], check=True, capture_output=True
        )
        (self.folder / "both.pem").write_text(self.certificate.read_text() + self.key.read_text())

    def _api(self, crowd: Crowd, name: str, options: list[str]) -> None:
        self.server.options = options
        self.server.start()
        certificate = self.certificate if options else None
        self._measure(crowd, Place(name, self.server.endpoint[1], [self.server.pid], certificate))
        self.server.stop()

    def _proxy(self, back: str) -> tuple[subprocess.Popen[bytes], int]:
        if not shutil.which("haproxy"):
            raise SystemExit("haproxy is missing: apt-get install haproxy")
        front = free_port()
        file = self.folder / "haproxy.cfg"
        file.write_text(
            CONFIGURATION.format(
                connections=2 * self.polls + 100, front=front, back=back, certificate=self.folder / "both.pem"
            )
        )
        proxy = subprocess.Popen(["haproxy", "-db", "-f", str(file)], stderr=subprocess.DEVNULL)
        if not wait_until(lambda: _listens(front), 10):
            proxy.kill()
            raise RuntimeError("haproxy does not start")
        return proxy, front

    def _measure(self, crowd: Crowd, place: Place) -> None:
        """Parks a tenth first, so that what a first connection brings with it is not counted."""
        seats = _seats(crowd)
        with ExitStack() as ends:
            few = self.polls // 10
            for seat in seats[:few]:
                ends.enter_context(self._park(crowd, place, seat))
            time.sleep(2)
            memory = read_memory(place.pids)
            cpu = sum(processor_seconds(pid) for pid in place.pids)
            for seat in seats[few:]:
                ends.enter_context(self._park(crowd, place, seat))
            time.sleep(2)
            cpu = sum(processor_seconds(pid) for pid in place.pids) - cpu
            grown = read_memory(place.pids).since(memory)
        count = len(seats) - few
        self.figures.add(place.name, "server memory by poll", grown.proportional / count, "B")
        self.figures.add(place.name, "processor by connect, request and park", round(cpu / count * 1e6), "us")
        self.say(f"{place.name}: {grown.proportional / count / 1000:.1f} KB, {cpu / count * 1e6:.0f} us a poll")

    def _park(self, crowd: Crowd, place: Place, seat: Seat) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", place.port), timeout=30)
        if place.certificate:
            context = ssl.create_default_context(cafile=str(place.certificate))
            connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
        token = crowd.token(seat, int(time.time()) + 500)
        headers = {"Authorization": f"Bearer {token}", **MEDIA}
        body = number(300) + listed([seat.namespace + number(seat.revision)])
        connection.sendall(http_request("POST", "/v1/poll", f"127.0.0.1:{place.port}", headers, body))
        return connection


def _seats(crowd: Crowd) -> list[Seat]:
    lines = crowd.table.read_bytes()
    size = len(lines) // crowd.polls
    return [
        Seat(line[:16], line[16:32], line[32:48], int.from_bytes(line[48:], "little"))
        for line in (lines[at : at + size] for at in range(0, len(lines), size))
    ]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
