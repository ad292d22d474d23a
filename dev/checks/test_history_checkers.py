"""The checkers of the cluster drill accept what is right, and name what is wrong."""

from __future__ import annotations

import copy
import itertools
import random
import unittest
from collections.abc import Callable

from simulated import NAMESPACE, Simulation

from drill_checks import check_cells, check_devices, check_order, check_told
from drill_history import NEVER, OK, UNKNOWN, Attempt, History, Operation, Verdict
from drill_journal import read_journal
from drill_verdicts import verdicts_of
from linearize import search_cell, step_of_cell

CORRECT = 1500
PLANTED = 120


def failing(simulation: Simulation) -> dict[str, str]:
    """The verdicts that fail, by name, with all that they say; polls are no part of a simulation."""
    journals = {NAMESPACE: read_journal(simulation.rows, NAMESPACE)}
    found = verdicts_of(simulation.history, journals, 10, simulation.end)
    return {each.name: " | ".join(each.problems + each.undecided) for each in found if each.problems or each.undecided}


def get(slot: str, value: str | None, begin: float, end: float, device: str = "r") -> Operation:
    """A file that was read."""
    return Operation("get", device, NAMESPACE, begin, end, OK, "cell", slot, value=value)


def put(value: str, begin: float, end: float, outcome: str = OK, expected: str = "", device: str = "w") -> Operation:
    """A file that was written."""
    return Operation("put", device, NAMESPACE, begin, end, outcome, "cell", "a", value=value, expected=expected)


def by_hand(operations: list[Operation]) -> bool:
    """Whether any order of the operations explains them: every order is tried, for what is small enough."""
    sure = [each for each in operations if each.returned != NEVER]
    unsure = [each for each in operations if each.returned == NEVER]
    for count in range(len(unsure) + 1):
        for some in itertools.combinations(unsure, count):
            for order in itertools.permutations([*sure, *some]):
                if any(b.returned < a.invoked for a, b in itertools.combinations(order, 2)):
                    continue
                state = ()
                for operation in order:
                    state = step_of_cell(state, operation)
                    if state is None:
                        break
                else:
                    return True
    return False


class Linearizability(unittest.TestCase):
    """The search itself."""

    def test_reads_that_overlap_a_write_may_see_either(self) -> None:
        history = [put("x", 0, 10), get("a", None, 1, 2), get("a", "x", 3, 4)]
        self.assertTrue(search_cell(history).linearizable)

    def test_a_stale_read_is_found(self) -> None:
        history = [put("x", 0, 1), put("y", 2, 3), get("a", "x", 4, 5)]
        found = search_cell(history)
        self.assertIs(found.linearizable, False)
        self.assertIs(found.blocking, history[2])

    def test_two_reads_in_the_wrong_order_are_found_though_both_overlap_the_write(self) -> None:
        history = [put("x", 0, 1), put("y", 2, 10), get("a", "y", 3, 4), get("a", "x", 5, 6)]
        self.assertIs(search_cell(history).linearizable, False)

    def test_a_write_without_an_answer_may_take_effect_late_or_never(self) -> None:
        lost = put("y", 2, NEVER, UNKNOWN)
        self.assertTrue(search_cell([put("x", 0, 1), lost, get("a", "x", 3, 4), get("a", "y", 8, 9)]).linearizable)
        self.assertTrue(search_cell([put("x", 0, 1), lost, get("a", "x", 8, 9)]).linearizable)
        self.assertIs(search_cell([put("x", 0, 1), lost, get("a", "y", 3, 4), get("a", "x", 8, 9)]).linearizable, False)

    def test_a_condition_is_decided_at_the_same_moment(self) -> None:
        won = [put("x", 0, 1), put("y", 2, 5, expected="x"), put("z", 2, 5, expected="x")]
        self.assertIs(search_cell(won).linearizable, False)
        won[2].outcome = "refused"
        self.assertTrue(search_cell(won).linearizable)

    def test_a_rename_is_seen_whole(self) -> None:
        move = Operation("move", "w", NAMESPACE, 2, 6, OK, "cell", "a", "b")
        self.assertTrue(search_cell([put("x", 0, 1), move, get("b", "x", 3, 4), get("a", None, 5, 6)]).linearizable)
        self.assertIs(search_cell([put("x", 0, 1), move, get("b", "x", 3, 4), get("a", "x", 5, 6)]).linearizable, False)

    def test_a_search_that_takes_too_long_is_no_success(self) -> None:
        self.assertIsNone(
            search_cell([put(str(each), 0, 9) for each in range(6)] + [get("a", "q", 1, 8)], most=50).linearizable
        )

    def test_it_agrees_with_trying_every_order(self) -> None:
        chance, verdicts = random.Random(5), {True: 0, False: 0}
        for _ in range(400):
            operations = []
            for number in range(5):
                begin = chance.random() * 4
                end = begin + chance.random() * 2
                if chance.random() < 0.5:
                    lost = chance.random() < 0.2
                    operations.append(put(str(number), begin, NEVER if lost else end, UNKNOWN if lost else OK))
                else:
                    operations.append(get("a", chance.choice([None, "0", "1", "2", "3"]), begin, end))
            wanted = by_hand(operations)
            verdicts[wanted] += 1
            self.assertIs(search_cell(operations).linearizable, wanted, "\n".join(map(str, operations)))
        self.assertGreater(min(verdicts.values()), 40)


class WholeHistories(unittest.TestCase):
    """Simulated histories: right ones, and the same with one thing wrong."""

    def test_correct_histories_are_accepted(self) -> None:
        for seed in range(CORRECT):
            self.assertEqual(failing(Simulation(seed)), {}, f"seed {seed}")

    def planted(self, plant: Callable[[Simulation], bool], *verdicts: str, word: str = "") -> None:
        """Plants something in many histories, and expects one of the verdicts to fail in each that had a place for it."""
        count = 0
        for seed in range(PLANTED):
            simulation = Simulation(seed, operations=60)
            if not plant(simulation):
                continue
            count += 1
            found = failing(simulation)
            self.assertTrue(set(verdicts) & set(found), f"seed {seed}: {found}")
            self.assertIn(word, " ".join(found.values()))
        self.assertGreater(count, PLANTED // 4)

    def test_a_stale_file_is_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            operations = simulation.history.operations
            for write in operations:
                later = [
                    each
                    for each in operations
                    if each.kind == "put"
                    and each.outcome == OK
                    and each.invoked > write.returned
                    and (each.cell, each.slot) == (write.cell, write.slot)
                ]
                if write.kind == "put" and write.outcome == OK and later:
                    begin = max(each.returned for each in later) + 0.1
                    read = get(write.slot, write.value, begin, begin + 0.1)
                    read.cell, read.revision = write.cell, write.revision
                    operations.append(read)
                    return write.cell.startswith("cell")
            return False

        self.planted(plant, "linearizable", word="no order explains")

    def test_a_stale_listing_is_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            lists = [each for each in simulation.history.operations if each.kind == "list" and each.outcome == OK]
            if not lists or lists[0].revision == simulation.head:
                return False
            stale = copy.copy(lists[0])
            stale.invoked = max(each.returned for each in simulation.history.operations if each.returned != NEVER) + 1
            stale.returned = stale.invoked + 0.1
            simulation.history.operations.append(stale)
            told = [each for each in simulation.history.operations if each.outcome == OK and each.kind != "get"]
            return max(each.revision for each in told) > stale.revision

        self.planted(plant, "order of revisions", word="stale")

    def test_a_lost_commit_is_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            last = simulation.journal.pop()[0]
            simulation.nodes = [row for row in simulation.nodes if row.start != last]
            for row in simulation.nodes:
                row.end = None if row.end == last else row.end
            return any(
                each.revision == last and each.outcome == OK and each.kind != "get"
                for each in simulation.history.operations
            )

        self.planted(plant, "journal", "reads agree with the journal")

    def test_a_doubled_commit_is_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            known = [each for each in simulation.history.operations if each.kind == "put" and each.outcome == OK]
            if not known:
                return False
            write = known[-1]
            simulation._commit(write.device, write.upload)
            return True

        self.planted(plant, "journal", word="doubled commit")

    def test_a_doubled_commit_under_another_key_is_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            known = [each for each in simulation.history.operations if each.kind == "put" and each.outcome == OK]
            if not known or any(each.outcome == UNKNOWN for each in simulation.history.operations):
                return False
            simulation._commit(known[-1].device, "ee" * 16)
            return True

        count = 0
        for seed in range(PLANTED):
            simulation = Simulation(seed, lost_answers=0)
            if plant(simulation):
                count += 1
                self.assertIn("doubled commit", failing(simulation).get("journal", ""))
        self.assertGreater(count, PLANTED // 2)

    def test_a_broken_chain_is_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            simulation.journal[len(simulation.journal) // 2][4] += 1
            return True

        self.planted(plant, "journal", word="does not bind its past")

    def test_two_histories_are_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            for operation in simulation.history.operations:
                if operation.kind == "changes" and operation.outcome == OK:
                    operation.hash = "00" * 32
                    return True
            return False

        self.planted(plant, "reads agree with the journal", word="the journal does not have")

    def test_a_listing_of_what_never_was_is_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            for operation in simulation.history.operations:
                if operation.kind == "list" and operation.entries:
                    operation.entries = operation.entries[1:]
                    return True
            return False

        self.planted(plant, "reads agree with the journal", word="not the tree of its revision")

    def test_reads_in_the_wrong_order_are_found(self) -> None:
        def plant(simulation: Simulation) -> bool:
            heads = [each for each in simulation.history.operations if each.kind == "list" and each.outcome == OK]
            heads.sort(key=lambda each: each.invoked)
            for first, second in itertools.pairwise(heads):
                if first.returned < second.invoked and first.revision < second.revision:
                    first.revision, second.revision = second.revision, first.revision
                    first.entries, second.entries = second.entries, first.entries
                    first.slot, second.slot = second.slot, first.slot
                    return True
            return False

        self.planted(plant, "order of revisions")


class Devices(unittest.TestCase):
    """What one device saw, and what it was told."""

    def poll(self, begin: float, end: float, cursor: int, revision: int) -> Operation:
        return Operation("poll", "p", NAMESPACE, begin, end, OK, cursor=cursor, revision=revision)

    def commit(self, begin: float, end: float, revision: int) -> Operation:
        return Operation("folder", "w", NAMESPACE, begin, end, OK, revision=revision)

    def told(self, *operations: Operation, attempts: list[Attempt] | None = None) -> Verdict:
        return check_told(History(list(operations), attempts or []), 10, 1000)

    def test_going_back_is_found(self) -> None:
        history = History([self.poll(0, 1, 0, 5), self.poll(2, 3, 5, 4)])
        self.assertIn("backwards", str(check_devices(history)))
        history.operations[1].revision = 6
        self.assertTrue(check_devices(history).holds)

    def test_who_is_told_in_time_is_told(self) -> None:
        self.assertTrue(self.told(self.poll(0, 8, 0, 1), self.commit(1, 2, 1)).holds)

    def test_a_wake_up_that_never_comes_is_found(self) -> None:
        self.assertIn("told never", str(self.told(self.poll(0, 8, 0, 0), self.commit(1, 2, 1))))

    def test_a_wake_up_that_comes_late_is_found(self) -> None:
        self.assertIn("late", str(self.told(self.poll(0, 20, 0, 1), self.commit(1, 2, 1))))

    def test_what_the_changes_told_needs_no_poll(self) -> None:
        changes = Operation("changes", "p", NAMESPACE, 2, 3, OK, cursor=0, revision=2)
        commits = [self.commit(0.5, 1, 1), self.commit(1.5, 2, 2)]
        self.assertTrue(self.told(self.poll(0, 2, 0, 1), changes, *commits).holds)
        changes.device = "another"
        self.assertFalse(self.told(self.poll(0, 2, 0, 1), changes, *commits).holds)

    def test_requests_that_fail_give_time(self) -> None:
        trouble = [Attempt("p", "poll", 3, 9, "refused", 5)]
        polls = [self.poll(0, 2.5, 0, 0), self.poll(14, 20, 0, 1)]
        self.assertTrue(self.told(*polls, self.commit(1, 2, 1), attempts=trouble).holds)

    def test_nothing_to_check_is_no_success(self) -> None:
        self.assertFalse(self.told(self.poll(0, 1, 0, 0)).holds)
        self.assertFalse(check_order(History()).holds)
        self.assertFalse(check_cells(History()).holds)


if __name__ == "__main__":
    unittest.main()
