"""A TCP proxy that counts what goes through it, so that bytes are measured outside the programs that send them."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TextIO

CHUNK = 256 * 1024


@dataclass
class Traffic:
    """Bytes of payload in each direction: `up` is from the client to the server."""

    up: int = 0
    down: int = 0
    connections: int = 0

    def since(self, earlier: Traffic) -> Traffic:
        """What was added after an earlier look."""
        return Traffic(self.up - earlier.up, self.down - earlier.down, self.connections - earlier.connections)


@dataclass
class Connection:
    """One client's connection, and what went through it."""

    number: int
    started: float
    up: int = 0
    down: int = 0
    chunks: int = 0


@dataclass
class Proxy:
    """Listens on a loopback port of its own and passes everything on to `target`.

    Counts are kept by connection. `log` gets one line for every chunk: seconds, connection, direction, bytes.
    """

    target: tuple[str, int]
    listen: tuple[str, int] = ("127.0.0.1", 0)
    log: TextIO | None = None
    connections: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._socket = socket.create_server(self.listen, backlog=128)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The address of the proxy, as a client would be given it."""
        return f"http://{self.listen[0]}:{self.port}"

    def traffic(self) -> Traffic:
        """The sum over all connections until this moment."""
        with self._lock:
            return Traffic(
                sum(connection.up for connection in self.connections),
                sum(connection.down for connection in self.connections),
                len(self.connections),
            )

    def close(self) -> None:
        """Accepts no more connections; those that exist go on to their ends."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                connection = Connection(len(self.connections) + 1, time.monotonic() - self._began)
                self.connections.append(connection)
            threading.Thread(target=self._serve, args=(client, connection), daemon=True).start()

    def _serve(self, client: socket.socket, connection: Connection) -> None:
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upward = threading.Thread(target=self._copy, args=(client, server, connection, "up"), daemon=True)
        upward.start()
        self._copy(server, client, connection, "down")
        upward.join()
        client.close()
        server.close()

    def _copy(self, source: socket.socket, sink: socket.socket, connection: Connection, direction: str) -> None:
        buffer = bytearray(CHUNK)
        view = memoryview(buffer)
        try:
            while count := source.recv_into(buffer):
                self._note(connection, direction, count)
                sink.sendall(view[:count])
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # One side is gone: the other has to notice, whichever way it was looking.
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def _note(self, connection: Connection, direction: str, count: int) -> None:
        with self._lock:
            connection.chunks += 1
            if direction == "up":
                connection.up += count
            else:
                connection.down += count
            if self.log:
                elapsed = time.monotonic() - self._began
                self.log.write(f"{elapsed:.6f} {connection.number} {direction} {count}\n")
