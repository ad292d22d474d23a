"""Figures of a benchmark: gathered by name, printed as tables for people or as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Figure:
    """One thing that was measured, once for each run."""

    row: str
    column: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of the runs; of memory the most, since a limit is what it is compared with."""
        is_memory = self.column.startswith("memory") or self.row.startswith("memory")
        return max(self.values) if is_memory else statistics.median(self.values)


class Figures:
    """All figures of a benchmark, in the order in which they came."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, str], Figure] = {}

    def add(self, row: str, column: str, value: float, unit: str) -> None:
        """Notes the value of one run."""
        self.all.setdefault((row, column), Figure(row, column, unit)).values.append(value)

    def table(self) -> str:
        """Medians as a table in Markdown: a line for each row, a column for each column."""
        columns = list(dict.fromkeys(column for _, column in self.all))
        rows = list(dict.fromkeys(row for row, _ in self.all))
        lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for row in rows:
            cells = [self.all.get((row, column)) for column in columns]
            lines.append(f"| {row} | " + " | ".join(shown(cell) for cell in cells) + " |")
        return "\n".join(lines)

    def document(self) -> list[dict[str, object]]:
        """Every figure with all its runs."""
        return [asdict(figure) | {"median": figure.median} for figure in self.all.values()]


def shown(figure: Figure | None) -> str:
    """A median as people read it."""
    if not figure:
        return ""
    value = figure.median
    match figure.unit:
        case "s":
            return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.0f} ms"
        case "B":
            return count(value)
        case "x":
            return f"{value:.3g}"
        case unit:
            return f"{value:g} {unit}"


def count(value: float) -> str:
    """Bytes in decimal units, to the digit where they are few."""
    for limit, name in ((10_000, "B"), (10**6, "KB"), (10**9, "MB")):
        if value < limit:
            return f"{value:.0f} B" if name == "B" else f"{value / (limit / 1000):.1f} {name}"
    return f"{value / 10**9:.2f} GB"


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    model = next(
        (line.split(":")[1].strip() for line in read_lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next(
        (int(line.split()[1]) // 1024 for line in read_lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    return {
        "processors": os.cpu_count(),
        "model": model,
        "memory_mib": memory,
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
    }


def read_lines(path: str) -> Iterable[str]:
    """The lines of a file of the system."""
    return Path(path).read_text(errors="replace").splitlines()


def version(command: Sequence[str]) -> str:
    """The first line that a program says of its version."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return (said.stdout or said.stderr).splitlines()[0].strip() if said.stdout or said.stderr else ""


def report(figures: Figures, as_json: bool, **facts: object) -> str:
    """The whole of a benchmark as text."""
    around = {"machine": machine()} | facts
    if as_json:
        return json.dumps(around | {"figures": figures.document()}, indent=2)
    known = ", ".join(
        "; ".join(map(str, value.values())) if isinstance(value, dict) else f"{name} {value}"
        for name, value in facts.items()
    )
    host = machine()
    place = f"{host['processors']} processors ({host['model']}), {host['memory_mib']} MiB, Linux {host['kernel']}"
    return f"{figures.table()}\n\n{known}; {place}"
