"""A client of a few lines: what any program can do with plain HTTP, and what no well-meaning client would."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        """The body as JSON; empty when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def code(self) -> str:
        """The stable code of a problem document."""
        document = self.document
        return str(document.get("code") or str(document.get("type", "")).rpartition(":")[2].rpartition("/")[2])

    @property
    def detail(self) -> str:
        """What a problem document says to people."""
        return str(self.document.get("detail", ""))


@dataclass
class ThinClient:
    """One device that speaks HTTP by hand, a connection for each request."""

    endpoint: tuple[str, int]
    token: str = ""
    namespace: str = ""
    device: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def login(self, account: str, password: str, device: str = "thin") -> Answer:
        """Asks for a token, and keeps it if there was one."""
        document = json.dumps({"account": account, "password": password, "device": device}).encode()
        answer = self.call("POST", "/v1/login", document, {"Content-Type": "application/json"})
        if answer.status == 200:
            self.token = str(answer.document["token"])
            self.namespace = str(answer.document["namespace_id"])
            self.device = str(answer.document["device_id"])
        return answer

    def call(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Sends one request; the path goes out as it is, however wrong."""
        connection = http.client.HTTPConnection(*self.endpoint, timeout=60)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            sent = self._authorization() | (headers or {})
            if body is not None:
                sent = {"Content-Length": str(len(body))} | sent
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body or b"")
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def put(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        """Writes a whole file."""
        return self.call("PUT", "/v1/files" + urllib.parse.quote(path), body, headers)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Reads a whole file."""
        return self.call("GET", "/v1/files" + urllib.parse.quote(path), None, headers)

    def move(self, old: str, new: str) -> Answer:
        """Moves a node."""
        body = json.dumps({"from": urllib.parse.quote(old), "to": urllib.parse.quote(new)}).encode()
        return self.call("POST", "/v1/move", body, {"Content-Type": "application/json"})

    def cut_off(
        self, method: str, path: str, promised: int, sent: bytes, media: str = "application/octet-stream"
    ) -> bytes:
        """Promises a body, sends less of it and says no more; answers what the server says to that."""
        with socket.create_connection(self.endpoint, timeout=60) as connection:
            lines = [
                f"{method} {path} HTTP/1.1",
                "Host: cairn",
                f"Content-Length: {promised}",
                f"Content-Type: {media}",
            ]
            lines += [f"{name}: {value}" for name, value in self._authorization().items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + sent)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer

    def _authorization(self) -> dict[str, str]:
        return self.headers | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
