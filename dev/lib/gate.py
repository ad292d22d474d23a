"""What stands between devices and a server in a drill: a gate that can be shut, and a proxy that tells old news."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Endpoint = tuple[str, int]


class Gate:
    """Passes TCP on to a target. While it is cut, nothing goes through and nothing is refused: as with a cable that is
    pulled, whoever waits has to notice by himself."""

    def __init__(self, target: Endpoint) -> None:
        self.target = target
        self._open = threading.Event()
        self._open.set()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.endpoint: Endpoint = self._socket.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Lets nothing through from now on."""
        self._open.clear()

    def mend(self) -> None:
        """Lets everything through, also what waited."""
        self._open.set()

    def close(self) -> None:
        """Accepts no more connections."""
        self._open.set()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            self._open.wait()
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upward = threading.Thread(target=self._copy, args=(client, server), daemon=True)
        upward.start()
        self._copy(server, client)
        upward.join()
        client.close()
        server.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(262144):
                self._open.wait()
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class StaleProxy:
    """An HTTP proxy that answers some readings from a cache that nobody invalidates: what a drill has to find."""

    def __init__(
        self, target: Endpoint, seed: int, share: float = 0.2, tls: ssl.SSLContext | None = None
    ) -> None:
        self.target, self.share, self.tls = target, share, tls
        self.told = 0
        self._random = random.Random(seed)
        self._cache: dict[tuple[str, str], tuple[float, int, list[tuple[str, str]], bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.endpoint: Endpoint = ("127.0.0.1", self._server.server_port)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()

    def link(self) -> http.client.HTTPConnection:
        """A connection to the target."""
        if self.tls:
            return http.client.HTTPSConnection(*self.target, timeout=120, context=self.tls)
        return http.client.HTTPConnection(*self.target, timeout=120)

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes, link: http.client.HTTPConnection
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Passes a request on, or answers a reading from the past."""
        key = (path, headers.get("Authorization", ""))
        reads = method == "GET" and path.startswith(("/v1/files/cell", "/v1/list/cell"))
        cached = self._cache.get(key)
        if reads and cached and time.monotonic() - cached[0] > 1 and self._random.random() < self.share:
            self.told += 1
            return cached[1:]
        link.request(method, path, body, headers)
        response = link.getresponse()
        found = [
            (name, value) for name, value in response.getheaders() if name.lower() not in ("content-length", "date")
        ]
        answer = response.status, found, response.read()
        if reads and not cached:
            self._cache[key] = (time.monotonic(), *answer)
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def setup(self) -> None:
                super().setup()
                self.link = proxy.link()

            def finish(self) -> None:
                super().finish()
                self.link.close()

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in ("host", "content-length")
                }
                try:
                    status, found, data = proxy.answer(self.command, self.path, headers, body, self.link)
                except (OSError, http.client.HTTPException):
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in found:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                """The drill has a log of its own."""

        return Handler
