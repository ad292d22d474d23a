"""Reads a whole tree through the API, as a device that is new."""

from __future__ import annotations

import os
import random
import ssl
from pathlib import Path

from drill_device import DrillDevice
from drill_history import History
from drill_parts import Endpoint


def write_tree(
    endpoint: Endpoint, tls: ssl.SSLContext | None, account: str, password: str, into: Path
) -> str:
    """Writes every file of an account's tree into a new folder; says what could not be read, or nothing."""
    device = DrillDevice(endpoint, History(), random.Random(os.urandom(8)), "reader")
    device.tls = tls
    device.login(account, password)
    into.mkdir()
    try:
        return _write_folder(device, "", into)
    finally:
        device.close()


def _write_folder(device: DrillDevice, path: str, into: Path) -> str:
    more = ""
    while True:
        answer = device.persist("read", "GET", f"/v1/list{path}{more}")
        if answer is None or answer.status != 200:
            return f"{path or '/'} could not be listed: {answer and answer.detail}"
        entries = answer.document["entries"]
        assert isinstance(entries, list)
        for entry in entries:
            if problem := _write_entry(device, entry, into):
                return problem
        following = answer.document.get("next")
        if not following:
            return ""
        more = f"?after={following}"


def _write_entry(device: DrillDevice, entry: dict[str, str], into: Path) -> str:
    place, path = into / entry["name"], "/" + entry["href"].lstrip("/")
    if entry["kind"] == "folder":
        place.mkdir()
        return _write_folder(device, path, place)
    answer = device.persist("read", "GET", f"/v1/files{path}")
    if answer is None or answer.status != 200:
        return f"{path} could not be read: {answer and f'{answer.status} {answer.code} {answer.detail}'}"
    place.write_bytes(answer.body)
    return ""
