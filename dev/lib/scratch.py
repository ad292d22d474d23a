"""A folder for one run, that is gone afterwards whatever ends the run; it stays only when it is evidence."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Scratch:
    """The folder of one run."""

    folder: Path
    stays: bool = False


def _end(number: int, _frame: object) -> None:
    # As an exception it runs every `finally` on its way out, so that processes and mounts go with us.
    sys.exit(128 + number)


@contextlib.contextmanager
def scratch(prefix: str, room: int = 0) -> Iterator[Scratch]:
    """Makes the folder below TMPDIR, asks for `room` bytes on its disk, and removes it unless `stays` was set."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    place = Scratch(Path(tempfile.mkdtemp(prefix=prefix)))
    try:
        if (free := shutil.disk_usage(place.folder).free) < room:
            raise SystemExit(
                f"{place.folder.parent} has {free / 1e9:.1f} GB free, {room / 1e9:.1f} are needed: set TMPDIR"
            )
        yield place
    finally:
        if not place.stays:
            shutil.rmtree(place.folder, ignore_errors=True)
