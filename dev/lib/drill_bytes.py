"""Reads back what was acknowledged: every version by its revision, and every tree from each region alone."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from drill_device import DrillDevice
from drill_history import OK, History, Verdict
from drill_journal import Journal
from drill_parts import Cluster


def check_bytes(history: History, readers: dict[str, DrillDevice], contents: dict[str, str]) -> Verdict:
    """Each acknowledged file, as it was at the revision of its commit, has the SHA-256 of what was sent."""
    verdict = Verdict("bytes")
    for namespace, reader in readers.items():
        for operation in history.of(namespace):
            if operation.kind not in ("put", "upload") or operation.outcome != OK or not operation.value:
                continue
            verdict.checked += 1
            path = f"/v1/files/{operation.cell}/{operation.slot}?at={operation.revision}"
            answer = reader.persist("check", "GET", path)
            if answer is None or answer.status != 200:
                said = "not answered" if answer is None else f"{answer.status} {answer.code}"
                verdict.problems.append(f"an acknowledged file is {said}: {operation}")
            elif hashlib.sha256(answer.body).hexdigest() != contents[operation.value]:
                verdict.problems.append(f"an acknowledged file has other bytes: {operation}")
    return verdict


def check_regions(
    cluster: Cluster, accounts: dict[str, str], journals: dict[str, Journal], contents: dict[str, str], folder: Path
) -> Verdict:
    """From each region alone the whole tree of each account can be had; `accounts` are names by namespace."""
    verdict = Verdict("each region alone")
    for region in cluster.s3_regions():
        for namespace, account in accounts.items():
            into = folder / f"export-{region}-{account}"
            if problem := cluster.export(region, account, into):
                verdict.problems.append(f"{account} from the region {region} alone: {problem}")
            verdict.problems += _differences(verdict, into, journals[namespace], contents, f"{account}, {region}")
            shutil.rmtree(into, ignore_errors=True)
    return verdict


def _differences(verdict: Verdict, into: Path, journal: Journal, contents: dict[str, str], where: str) -> list[str]:
    found = {
        "/" + str(path.relative_to(into)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in into.rglob("*")
        if path.is_file()
    }
    tree = journal.tree(journal.head)
    wanted = {path: contents.get(state.content, "") for path, state in tree.items() if state.kind == 1}
    verdict.checked += len(wanted)
    wrong = sorted(path for path in found.keys() | wanted.keys() if found.get(path) != wanted.get(path))
    return [f"{where}: {path} is not the file that was committed" for path in wrong]
