"""The files of deploy/ as they are shipped, with what differs on one machine put in: what is shipped is drilled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cluster.needs import ClusterError

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


def shipped(name: str, changes: Mapping[str, str]) -> str:
    """The text of a file below deploy/, after each change: what stands left has to be there, and turns into the right."""
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        if old not in text:
            raise ClusterError(f"deploy/{name} has no {old!r} any more: dev/cluster wants to change it")
        text = text.replace(old, new)
    return text
