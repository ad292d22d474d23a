"""The results of a cluster drill, as lines, as a table of Markdown, and as JSON."""

from __future__ import annotations

import json

from drill_cases import Row


def summary(rows: list[Row], system: str, seed: int, seconds: float) -> str:
    """The last line."""
    counts = {result: sum(row.result == result for row in rows) for result in ("holds", "FAILS", "absent")}
    operations = sum(row.operations for row in rows)
    verdict = "every verdict holds" if succeeded(rows) else "NOT every verdict holds"
    return (
        f"cluster drill on {system}, seed {seed}: {counts['holds']} cases hold, {counts['FAILS']} fail, "
        f"{counts['absent']} absent, {operations:,} operations, {seconds:.0f} s: {verdict}"
    )


def succeeded(rows: list[Row]) -> bool:
    """Whether something was tried, and all of it held; what is absent is no success by itself."""
    tried = [row for row in rows if row.result != "absent"]
    return bool(tried) and all(row.result == "holds" for row in tried)


def lines(row: Row) -> list[str]:
    """A case, for who watches."""
    if row.result == "absent":
        return [f"{row.name}: absent"]
    found = [
        f"{row.name}: {row.result}; writes again: {row.writes}; reads again: {row.reads}; "
        f"{row.failed} of {row.requests} requests failed; {row.operations} operations"
    ]
    found += [f"  {note}" for note in row.notes]
    return found + [f"  {str(verdict)[:1500]}" for verdict in row.verdicts]


def markdown(rows: list[Row]) -> str:
    """The table of docs/drills.md."""
    head = ["part", "harm", "writes again after", "reads again after", "failed requests", "verdicts"]
    table = [head, ["---"] * len(head)]
    for row in rows:
        if row.result == "absent":
            table.append([row.part, row.how, "", "", "", "absent"])
            continue
        held = sum(verdict.holds for verdict in row.verdicts)
        wrong = [verdict.name for verdict in row.verdicts if not verdict.holds]
        verdicts = f"{held} of {len(row.verdicts)} hold" + (f"; FAILS: {', '.join(wrong)}" if wrong else "")
        table.append(
            [row.part, row.how, str(row.writes), str(row.reads), f"{row.failed} of {row.requests:,}", verdicts]
        )
    return "\n".join(f"| {' | '.join(each)} |" for each in table)


def document(rows: list[Row], system: str, seed: int) -> str:
    """Everything, for programs."""
    found = []
    for row in rows:
        times = {
            name: None if each is None else {"harmed": each.harmed, "mended": each.mended}
            for name, each in (("writes_again", row.writes), ("reads_again", row.reads))
        }
        verdicts = [
            {
                "name": each.name,
                "holds": each.holds,
                "checked": each.checked,
                "problems": each.problems,
                "undecided": each.undecided,
            }
            for each in row.verdicts
        ]
        found.append(
            {
                "case": row.name,
                "part": row.part,
                "harm": row.how,
                "result": row.result,
                **times,
                "failed": row.failed,
                "requests": row.requests,
                "operations": row.operations,
                "notes": row.notes,
                "verdicts": verdicts,
            }
        )
    return json.dumps({"system": system, "seed": seed, "succeeded": succeeded(rows), "cases": found}, indent=2)
