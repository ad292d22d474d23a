"""All verdicts on one history."""

from __future__ import annotations

from drill_checks import check_cells, check_devices, check_order, check_told
from drill_history import History, Verdict
from drill_journal import Journal, check_journal, check_reads, resolve


def verdicts_of(history: History, journals: dict[str, Journal], bound: float, until: float) -> list[Verdict]:
    """Checks the history against them and against itself."""
    # Before anything else: the other checks rely upon what the journal says of unknown outcomes.
    resolve(history, journals)
    answers = Verdict("answers", len(history.operations), history.surprises)
    heads = {namespace: journal.head for namespace, journal in journals.items()}
    return [
        check_journal(history, journals),
        check_order(history, heads),
        check_cells(history),
        check_reads(history, journals),
        check_devices(history),
        check_told(history, bound, until),
        answers,
    ]
