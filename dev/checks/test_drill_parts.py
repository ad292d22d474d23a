"""The smaller parts of the cluster drill: recovery from notes of requests, recipes, messages, the verdicts' own rules."""

from __future__ import annotations

import hashlib
import time
import unittest
from pathlib import Path

from drill_cases import CALM, Case, Plan, Row, cases, chosen, outage, served_meanwhile, slowest
from drill_history import Attempt, Verdict
from drill_recovery import Heartbeat, Recovery, failures, recovery
from drill_report import document, lines, markdown, succeeded, summary
from measure import CommandFailed
from messages import Outcome, Reader, number, sized
from recipe import recipe


def attempt(started: float, ended: float, failure: str = "") -> Attempt:
    """A request of a device that writes."""
    return Attempt("d", "write", started, ended, failure)


class Recovering(unittest.TestCase):
    """When requests succeed again, for something that was harmed at 10, brought back at 20, and watched until 30."""

    def found(self, *attempts: Attempt) -> tuple[float | None, float | None]:
        got = recovery(list(attempts), "write", 10, 20, 30)
        return got.harmed, got.mended

    def test_nothing_failed(self) -> None:
        self.assertEqual(self.found(attempt(11, 12), attempt(21, 22)), (0, 0))

    def test_another_took_over(self) -> None:
        self.assertEqual(
            self.found(attempt(10, 11, "x"), attempt(12, 12.5, "x"), attempt(13, 14), attempt(21, 22)), (4, 0)
        )

    def test_a_late_end_of_an_early_failure_does_not_count(self) -> None:
        self.assertEqual(self.found(attempt(10, 15, "x"), attempt(11, 12)), (2, 0))

    def test_who_was_under_way_when_it_was_harmed_counts(self) -> None:
        self.assertEqual(self.found(attempt(9, 14, "x"), attempt(14.5, 15)), (5, 0))
        self.assertEqual(self.found(attempt(9, 14, "x"), attempt(11, 12)), (2, 0))

    def test_it_was_back_only_once_it_was_mended(self) -> None:
        self.assertEqual(self.found(attempt(10, 15, "x"), attempt(16, 21, "x"), attempt(21, 22)), (None, 2))
        self.assertEqual(self.found(attempt(11, 21)), (None, 1))

    def test_bringing_it_back_did_harm(self) -> None:
        self.assertEqual(self.found(attempt(11, 12), attempt(21, 22, "x"), attempt(23, 24)), (0, 4))

    def test_who_fails_while_it_is_brought_back_counts_from_then_on(self) -> None:
        served = [attempt(10, 15, "x"), attempt(16, 17)]
        self.assertEqual(self.found(*served, attempt(19, 24, "x"), attempt(21, 22)), (7, 2))
        self.assertEqual(self.found(*served, attempt(19, 24, "x")), (7, None))

    def test_it_never_came_back(self) -> None:
        self.assertEqual(self.found(attempt(10, 15, "x"), attempt(21, 25, "x")), (None, None))

    def test_failures_are_counted_from_the_harm_on(self) -> None:
        self.assertEqual(failures([attempt(1, 2, "x"), attempt(9, 11, "x"), attempt(12, 13)], 10, 30), (1, 2))


    def test_the_slowest_answers_are_told(self) -> None:
        found = slowest([attempt(1, 9), attempt(10, 10.25), attempt(11, 11.5), attempt(9, 13), attempt(12, 19, "x")], 10, 20)
        self.assertEqual(found, ["answers meanwhile took writes 0.50 s, at most 4.0 s"])
        self.assertEqual(slowest([attempt(1, 9)], 10, 20), [])

    def test_the_longer_outage_counts(self) -> None:
        self.assertEqual(outage(Recovery(2.0, 0.0), Recovery(5.0, 1.0)), 5)
        self.assertEqual(outage(Recovery(None, 9.0), None), 0)

    def test_a_drill_that_stood_still_knows_it(self) -> None:
        heartbeat = Heartbeat(0.5)
        begin = time.monotonic()
        heartbeat.beat(begin + 0.5)
        self.assertLess(heartbeat.longest, 0.1)
        heartbeat.beat(begin + 61)
        self.assertAlmostEqual(heartbeat.longest, 60, places=1)


class Messages(unittest.TestCase):
    """What is written and read by hand."""

    def test_numbers_are_read_as_they_are_written(self) -> None:
        for value in (0, 127, 128, 300, 1 << 40):
            self.assertEqual(Reader(number(value)).number(), value)

    def test_a_message_that_is_cut_off_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            Reader(sized(b"four")[:-1]).sized()

    def test_outcomes(self) -> None:
        committed = Outcome(Reader(b"\0" + number(300) + b"h" * 32))
        self.assertEqual((committed.kind, committed.revision, committed.hash), ("committed", 300, (b"h" * 32).hex()))
        pending = Outcome(Reader(b"\1" + number(1) + b"b" * 32 + number(0)))
        self.assertEqual((pending.kind, pending.blocks, pending.pages), ("pending", [b"b" * 32], []))

    def test_one_block_has_no_page(self) -> None:
        found = recipe([b"one"])
        self.assertEqual((found.content, found.pages), (b"\0" + hashlib.sha256(b"one").digest(), []))

    def test_many_blocks_have_a_tree(self) -> None:
        found = recipe([str(each).encode() for each in range(2000)])
        self.assertGreaterEqual(found.content[0], 2)
        self.assertEqual(found.content[1:], hashlib.sha256(found.pages[-1]).digest())
        self.assertEqual(found.size, sum(len(str(each)) for each in range(2000)))
        leaves = [page for page in found.pages if page[4] == 1]
        self.assertEqual(sum(int.from_bytes(page[5:7], "big") for page in leaves), 2000)


class Reports(unittest.TestCase):
    """What counts as a success."""

    def row(self, result: str, *verdicts: Verdict) -> Row:
        return Row("api", "kill", result, verdicts=list(verdicts))

    def test_absent_alone_is_no_success(self) -> None:
        self.assertFalse(succeeded([]))
        self.assertFalse(succeeded([self.row("absent")]))
        self.assertTrue(succeeded([self.row("absent"), self.row("holds")]))
        self.assertFalse(succeeded([self.row("holds"), self.row("FAILS")]))

    def test_a_verdict_that_checked_nothing_or_could_not_decide_does_not_hold(self) -> None:
        self.assertFalse(Verdict("v").holds)
        self.assertFalse(Verdict("v", 1, [], ["perhaps"]).holds)
        self.assertTrue(Verdict("v", 1).holds)

    def test_what_fails_is_named_everywhere(self) -> None:
        row = self.row("FAILS", Verdict("journal", 1, ["lost commit"]), Verdict("bytes", 1))
        self.assertIn("lost commit", "\n".join(lines(row)))
        self.assertIn("1 of 2 hold; FAILS: journal", markdown([row]))
        self.assertIn("lost commit", document([row], "a system", 1))
        self.assertIn("NOT every verdict holds", summary([row], "a system", 1, 2))
        self.assertIn("absent", markdown([self.row("absent")]))

    def test_who_was_not_served_is_told(self) -> None:
        good = Recovery(2.0, 0.0)
        self.assertTrue(served_meanwhile(good, good).holds)
        self.assertIn("writes were served again: not while harmed", str(served_meanwhile(Recovery(None, 1.0), good)))
        self.assertFalse(served_meanwhile(good, Recovery(1.0, None)).holds)
        self.assertFalse(served_meanwhile(None, good).holds)

    def test_cases_are_chosen_by_name(self) -> None:
        self.assertEqual(len(cases()), 31)
        self.assertEqual(chosen("all"), cases())
        self.assertEqual(chosen("api"), [("api", "kill"), ("api", "freeze"), ("api", "cut")])
        self.assertEqual(chosen("queue-cut"), [("queue", "cut")])
        self.assertEqual(chosen(CALM), [(CALM, "")])
        with self.assertRaises(SystemExit):
            chosen("nothing")


class Broken:
    """A system with one part, which can't make accounts."""

    style = "sqlite"
    endpoint = ("127.0.0.1", 1)

    def parts(self) -> list[str]:
        return ["api"]

    def harms(self, part: str) -> list[str]:
        return ["kill"] if part == "api" else []

    def add_account(self, name: str, password: str) -> None:
        raise CommandFailed(f"{name} and {password} are not wanted")


class Cases(unittest.TestCase):
    """What a case makes of a system that is not as it should be."""

    def played(self, part: str, how: str) -> Row:
        return Case(Broken(), Path("/nowhere"), Plan(), part, how, lambda _: None).run()  # type: ignore[arg-type]

    def test_a_part_or_a_harm_that_is_not_there_is_absent(self) -> None:
        self.assertEqual(self.played("cache", "kill").result, "absent")
        self.assertEqual(self.played("api", "cut").result, "absent")

    def test_a_case_that_comes_to_nothing_fails(self) -> None:
        row = self.played("api", "kill")
        self.assertEqual(row.result, "FAILS")
        self.assertIn("are not wanted", str(row.verdicts[0]))


if __name__ == "__main__":
    unittest.main()
