"""The cases of the cluster drill: each harms one part under load, brings it back, and checks every promise."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from drill_bytes import check_bytes, check_regions
from drill_crowd import ParkedCrowd
from drill_device import DrillDevice, Upload, draw_upload
from drill_history import OK, Attempt, Verdict
from drill_journal import read_journal
from drill_load import Load, Member, Scale
from drill_parts import HARMS, PARTS, Cluster, Endpoint
from drill_recovery import Heartbeat, Recovery, failures, recovery
from drill_verdicts import verdicts_of
from gate import StaleProxy
from measure import CommandFailed

# What is known so long after the acknowledgement is no wake-up that was lost.
TOLD_WITHIN = 15.0
REPAIRED_WITHIN = 120.0
CALM = "calm"
# For so long the drill itself may not run before that is told.
STOOD_STILL = 2.0
# What ends a case, as a failure of it, and not the drill.
TROUBLES = (RuntimeError, OSError, LookupError, ValueError, CommandFailed)


@dataclass
class Plan:
    """How a drill is run."""

    seed: int = 1
    before: float = 3
    hold: float = 10
    after: float = 5
    polls: int = 20_000
    plant: str = ""
    scale: Scale = field(default_factory=Scale)


@dataclass
class Row:
    """What one case found."""

    part: str
    how: str
    # "holds", "FAILS" or "absent".
    result: str = "absent"
    writes: Recovery | None = None
    reads: Recovery | None = None
    failed: int = 0
    requests: int = 0
    operations: int = 0
    notes: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As `--case` takes it."""
        return f"{self.part}-{self.how}" if self.how else self.part


def cases() -> list[tuple[str, str]]:
    """Every part and every way to harm it, after a run in which nothing is harmed."""
    return [(CALM, ""), *((part, how) for part in PARTS for how in HARMS)]


def chosen(name: str) -> list[tuple[str, str]]:
    """The cases that a name means: "all", a part, or a part and a harm."""
    found = [(part, how) for part, how in cases() if name in ("all", part, f"{part}-{how}")]
    if not found:
        raise SystemExit(
            f"there is no case {name}: all, {CALM}, or one of {', '.join(PARTS)}, alone or with -{', -'.join(HARMS)}"
        )
    return found


def served_meanwhile(writes: Recovery | None, reads: Recovery | None) -> Verdict:
    """Requests went on, or did so again, before what was harmed was brought back, and went on afterwards."""
    verdict = Verdict("served meanwhile")
    for kind, found in (("writes", writes), ("reads", reads)):
        verdict.checked += 1
        if found is None or found.harmed is None or found.mended is None:
            verdict.problems.append(f"{kind} were served again: {found}")
    return verdict


def outage(*kinds: Recovery | None) -> float:
    """For how many seconds requests were not served while something was harmed, where something takes over."""
    return max((each.harmed for each in kinds if each and each.harmed), default=0.0)


def slowest(attempts: list[Attempt], harmed: float, mended: float) -> list[str]:
    """The longest and the middle one of the waits for an answer that was good, while something was harmed, in a line."""
    found = []
    for kind in ("write", "read"):
        waits = sorted(
            each.ended - each.started
            for each in attempts
            if each.kind == kind and not each.failure and each.ended >= harmed and each.started < mended
        )
        if waits:
            found.append(f"{kind}s {waits[len(waits) // 2]:.2f} s, at most {waits[-1]:.1f} s")
    return [f"answers meanwhile took {'; '.join(found)}"] if found else []


class MiddleOfUpload(DrillDevice):
    """A device that stops in the middle of an upload until it is told to go on."""

    def prepare(self) -> None:
        """Before the upload begins."""
        self.halfway, self.go = threading.Event(), threading.Event()

    def after_batch(self, upload: Upload) -> None:
        """Waits once half of the blocks are durable."""
        if len(upload.durable) >= len(upload.blocks) // 2 and not self.halfway.is_set():
            self.halfway.set()
            self.go.wait(120)


class Case:
    """One case on a running system."""

    def __init__(
        self, cluster: Cluster, folder: Path, plan: Plan, part: str, how: str, say: Callable[[str], None]
    ) -> None:
        self.cluster, self.folder, self.plan, self.say = cluster, folder, plan, say
        self.row = Row(part, how)
        self.closing: list[Callable[[], None]] = []
        self.harmed = False

    def run(self) -> Row:
        """Plays it; a part that is not there, or that can't be harmed so, is absent."""
        row = self.row
        if row.part != CALM and (row.part not in self.cluster.parts() or row.how not in self.cluster.harms(row.part)):
            return row
        heartbeat = Heartbeat()
        heartbeat.start()
        self.closing.append(heartbeat.stop)
        try:
            self._play()
        except TROUBLES as error:
            self._trouble("the case itself", error)
        finally:
            self._end()
        if heartbeat.longest > STOOD_STILL:
            row.notes.append(f"the drill itself stood still for {heartbeat.longest:.1f} s: its times mean little")
        row.result = "holds" if row.verdicts and all(verdict.holds for verdict in row.verdicts) else "FAILS"
        return row

    def _end(self) -> None:
        """Leaves the system as the next case wants it."""
        if self.harmed:
            try:
                self.cluster.mend(self.row.part)
            except TROUBLES as error:
                self._trouble("bringing it back", error)
        for close in reversed(self.closing):
            close()

    def _trouble(self, what: str, error: Exception) -> None:
        self.row.verdicts.append(Verdict(what, 1, [f"{type(error).__name__}: {error}"]))

    @property
    def _seed(self) -> str:
        """Ids are drawn from it: each case has its own, since ids of one account mean nothing in another."""
        return f"{self.plan.seed}-{self.row.name}"

    # The steps

    def _play(self) -> None:
        endpoint = self._endpoint()
        load = Load(self.cluster, endpoint, self._seed, self.plan.scale)
        load.prepare(f"{self.row.name}-{self.plan.seed}")
        away = [load.device(DrillDevice, member, "away") for member in load.members]
        upload = self._upload_begins(load)
        crowd = self._crowd_parks(load)
        self.closing.append(load.halt)
        load.start()
        time.sleep(self.plan.before)
        harmed = self._harm()
        if upload:
            upload[0].go.set()
        if crowd and self.row.how == "kill":
            self.row.notes.append(f"{crowd.polls} polls parked at the other server after {crowd.back(harmed, 1):.1f} s")
        hold = max(self.plan.hold, self.cluster.least_hold(self.row.part) if self.harmed else 0)
        time.sleep(max(0.0, harmed + hold - time.monotonic()))
        mended = self._bring_back()
        time.sleep(self.plan.after)
        until = load.stop(TOLD_WITHIN + 5)
        self._figures(load, harmed, mended, until)
        self._check(load, away, until, upload, crowd)

    def _endpoint(self) -> Endpoint:
        if self.plan.plant != "stale":
            return self.cluster.endpoint
        proxy = StaleProxy(self.cluster.endpoint, self.plan.seed, tls=self.cluster.tls)
        self.closing.append(lambda: self._planted(proxy))
        return proxy.endpoint

    def _planted(self, proxy: StaleProxy) -> None:
        proxy.close()
        self.row.notes.append(f"{proxy.told} stale answers were planted")

    def _harm(self) -> float:
        moment = time.monotonic()
        if self.row.part != CALM:
            self.say(f"{self.row.name}: now")
            self.harmed = True
            self.cluster.harm(self.row.part, self.row.how)
        return moment

    def _bring_back(self) -> float:
        moment = time.monotonic()
        if self.harmed:
            self.cluster.mend(self.row.part)
            self.harmed = False
        return moment

    def _upload_begins(self, load: Load) -> tuple[MiddleOfUpload, Upload, threading.Thread] | None:
        if self.row.part != "blocks":
            return None
        member = load.members[0]
        device = load.device(MiddleOfUpload, member, "large")
        device.prepare()
        generator = random.Random(self._seed + "-large")
        upload = draw_upload(generator, 48, 100_000, generator.randbytes(16), 0, member.folders["uploads"], "large")
        thread = threading.Thread(target=device.upload, args=(upload, "uploads"), daemon=True)
        thread.start()
        if not device.halfway.wait(60):
            raise RuntimeError(f"the large upload did not come to its middle: {load.history.surprises}")
        return device, upload, thread

    def _crowd_parks(self, load: Load) -> ParkedCrowd | None:
        if self.row.part != "notify":
            return None
        member = Member(f"crowd-{self.row.name}-{self.plan.seed}")
        self.cluster.add_account(member.name, "a password for the drill")
        author = load.device(DrillDevice, member, "author")
        if author.folder("/first").outcome != OK:
            raise RuntimeError("the crowd's account could not commit")
        crowd = ParkedCrowd(self.cluster, self.folder, self.plan.polls, author)
        self.closing.append(crowd.close)
        self.say(f"{self.row.name}: {self.plan.polls} polls are parked")
        return crowd

    # What was found

    def _figures(self, load: Load, harmed: float, mended: float, until: float) -> None:
        row, attempts = self.row, load.history.attempts
        row.operations = len(load.history.operations)
        row.writes = recovery(attempts, "write", harmed, mended, until)
        row.reads = recovery(attempts, "read", harmed, mended, until)
        row.failed, row.requests = failures(attempts, harmed, until)
        row.notes += slowest(attempts, harmed, mended)
        reasons = Counter(f"{each.kind}: {each.failure}" for each in attempts if each.failure)
        row.notes += [f"{count} times {reason[:200]}" for reason, count in reasons.most_common(4)]

    def _check(
        self,
        load: Load,
        away: list[DrillDevice],
        until: float,
        upload: tuple[MiddleOfUpload, Upload, threading.Thread] | None,
        crowd: ParkedCrowd | None,
    ) -> None:
        row = self.row
        if upload:
            upload[2].join(120)
        if row.part == CALM or self.cluster.takes_over(row.part):
            row.verdicts.append(served_meanwhile(row.writes, row.reads))
        if row.part == "region":
            row.verdicts.append(self._repaired())
        if crowd:
            row.verdicts.append(crowd.check())
        row.verdicts.append(self._queue(away))
        if row.part == "blocks":
            row.verdicts.append(self._nothing_resent(load, upload))
        style = self.cluster.style
        journals = {each: read_journal(self.cluster.rows, each, style) for each in load.history.namespaces()}
        readers = {device.namespace: device for device in away}
        row.verdicts += verdicts_of(load.history, journals, TOLD_WITHIN + outage(row.writes, row.reads), until)
        row.verdicts.append(check_bytes(load.history, readers, load.contents))
        accounts = {member.namespace: member.name for member in load.members}
        row.verdicts.append(check_regions(self.cluster, accounts, journals, load.contents, self.folder))

    def _repaired(self) -> Verdict:
        regions = self.cluster.s3_regions()
        started = time.monotonic()
        problems = [
            f"{region}: {found}" for region in regions if (found := self.cluster.whole(region, REPAIRED_WITHIN))
        ]
        self.row.notes.append(f"the region was whole {time.monotonic() - started:.1f} s after the load ended")
        return Verdict("region repaired", len(regions), problems)

    def _queue(self, away: list[DrillDevice]) -> Verdict:
        """A device that was away all the time is told to look at its namespace when it comes back."""
        verdict = Verdict("who was away is told")
        for device in away:
            answer = device.persist("check", "GET", "/v1/queue")
            verdict.checked += 1
            if answer is None or answer.status != 200:
                verdict.problems.append(f"the queue of {device.name} is not answered: {answer and answer.detail}")
                continue
            listing = json.loads(answer.body)
            named = [entry.get("namespace") for entry in listing["entries"]]
            if device.namespace not in named and not listing["read_from_cursor"]:
                verdict.problems.append(f"{device.device[:8]} was away and is not told of {device.namespace[:8]}")
        return verdict

    def _nothing_resent(self, load: Load, upload: tuple[MiddleOfUpload, Upload, threading.Thread] | None) -> Verdict:
        """No block that was told to be durable was asked for again."""
        verdict = Verdict("no durable block sent again")
        uploads = [each for writer in load.writers for each in writer.sent] + ([upload[1]] if upload else [])
        for each in uploads:
            verdict.checked += len(each.durable)
            if each.asked_again:
                verdict.problems.append(f"{each.asked_again} durable blocks of {each.name} were asked for again")
        if upload:
            ended = [each for each in load.history.operations if each.upload == upload[1].identifier.hex()]
            if not ended or ended[0].outcome != OK:
                verdict.problems.append(f"the upload that was under way was not committed: {ended and ended[0]}")
        return verdict
