"""Memory of processes and of the kernel, so that the cost of very many of something is a difference of two readings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Where the kernel's memory for sockets, open files and pollers shows: objects, tables of files, page tables, stacks.
KERNEL_FIELDS = ("Slab:", "VmallocUsed:", "PageTables:", "KernelStack:", "Percpu:")


@dataclass
class Reading:
    """Bytes at one moment."""

    resident: int = 0
    proportional: int = 0
    kernel: int = 0
    available: int = 0

    def since(self, before: Reading) -> Reading:
        """What came in between; of the available memory, what is left more."""
        return Reading(
            self.resident - before.resident,
            self.proportional - before.proportional,
            self.kernel - before.kernel,
            self.available - before.available,
        )


def fields(path: Path) -> dict[str, int]:
    """The lines of a file of the form `Name: 12 kB`, in bytes."""
    found = {}
    for line in path.read_text().splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "kB":
            found[words[0]] = int(words[1]) * 1024
    return found


def read_memory(pids: Iterable[int]) -> Reading:
    """What some processes have now, and what the kernel has for all."""
    reading = Reading()
    for pid in pids:
        rollup = fields(Path(f"/proc/{pid}/smaps_rollup"))
        reading.resident += rollup["Rss:"]
        reading.proportional += rollup["Pss:"]
    machine = fields(Path("/proc/meminfo"))
    reading.kernel = sum(machine.get(name, 0) for name in KERNEL_FIELDS)
    reading.available = machine["MemAvailable:"]
    return reading


def slabs() -> dict[str, int]:
    """Bytes of each kind of kernel object; empty when only root may know."""
    try:
        lines = Path("/proc/slabinfo").read_text().splitlines()[2:]
    except PermissionError:
        return {}
    return {words[0]: int(words[2]) * int(words[3]) for words in (line.split() for line in lines)}
