"""One run: everything up, a vendor that sends, faults that strike, everything healed, and the verdict."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.evidence import gather
from tests.faults.members import MemberEndedError
from tests.faults.nemeses import WEIGHTS, Nemesis
from tests.faults.stage import Setting, Stage, running_stage
from tests.faults.verdict import Verdict, judge

CATCH_UP_SECONDS = 180.0
LEAST_PAUSE_SECONDS = 0.5


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to be: these faults, one after the other. `seed` decides all that is random about them."""

    seed: int
    strikes: Sequence[Nemesis]
    setting: Setting
    pause_seconds: float = 3.0
    """Between one fault and the next, on average."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was and what came of it."""

    seed: int
    seconds: float
    faults: int
    by_kind: dict[str, int]
    timeline: list[tuple[float, str]]
    messages_sent: int
    messages_accepted: int
    facts_in_the_log: int
    facts_applied: int
    lists_written: int
    published: int
    starts: dict[str, int]
    statuses: dict[str, int]
    ended: str | None
    verdict: Verdict


def run(directory: Path, plan: Plan, tell: Callable[[str], None]) -> Report:
    """Run a plan in an empty directory; logs of all processes stay there."""
    begun = time.monotonic()
    chance = random.Random(plan.seed)
    timeline: list[tuple[float, str]] = []
    kinds: Counter[str] = Counter()
    with running_stage(directory, plan.setting) as stage:
        tell(f"all up after {time.monotonic() - begun:.0f} s")
        stage.vendor.start()
        ended = None
        try:
            for nemesis in plan.strikes:
                stage.members.watch_for(LEAST_PAUSE_SECONDS + chance.expovariate(1 / plan.pause_seconds))
                at = round(time.monotonic() - begun, 1)
                told = nemesis(stage, chance)
                kinds[nemesis.__name__] += 1
                timeline.append((at, told))
                tell(f"{at:7.1f} s  {len(timeline):3}  {told}")
        except MemberEndedError as error:
            ended = str(error)
        finally:
            stage.heal()
            stage.vendor.stop()
        caught_up = ended is None and settle(stage, tell)
        statuses = Counter(str(status) for member in stage.members.of() for status in member.statuses)
        stopped = [member.name for member in stage.members.of() if member.stop() != 0]
        tell("reading everything back")
        evidence = gather(stage)
        verdict = judge(evidence, stuck=len(stopped) + (not caught_up), unacknowledged=stage.vendor.unacknowledged)
        return Report(
            seed=plan.seed,
            seconds=round(time.monotonic() - begun, 1),
            faults=len(timeline),
            by_kind=dict(kinds),
            timeline=timeline,
            messages_sent=stage.vendor.messages,
            messages_accepted=len(stage.vendor.accepted),
            facts_in_the_log=sum(sum(facts.values()) for facts in evidence.log.values()),
            facts_applied=sum(sum(facts.values()) for facts in evidence.applied.values()),
            lists_written=sum(map(len, evidence.lists.values())),
            published=sum(map(len, evidence.held.values())),
            starts={member.name: member.starts for member in stage.members.of()},
            statuses=dict(statuses),
            ended=ended,
            verdict=verdict,
        )


def drawn(seed: int, faults: int) -> list[Nemesis]:
    """Random faults by their weights."""
    return random.Random(seed).choices(list(WEIGHTS), list(WEIGHTS.values()), k=faults)


def settle(stage: Stage, tell: Callable[[str], None]) -> bool:
    """Wait until everything that was sent is through; whether it came to that."""
    tell("healed; waiting until everything is through")
    try:
        return stage.members.wait_until_caught_up(CATCH_UP_SECONDS)
    except MemberEndedError as error:
        tell(str(error))
        return False


def as_json(report: Report) -> bytes:
    """The report, indented."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def as_text(report: Report) -> str:
    """The report for people."""
    told: dict[str, Any] = msgspec.to_builtins(report.verdict)
    examples = told.pop("examples")
    lines = [
        f"{report.faults} faults in {report.seconds:.0f} s, seed {report.seed}",
        *(f"  {count:4}  {kind.replace('_', ' ')}" for kind, count in sorted(report.by_kind.items())),
        f"{report.messages_sent} messages sent, {report.messages_accepted} different ones accepted",
        f"{report.facts_in_the_log} facts in the log, {report.facts_applied} applied",
        f"{report.lists_written} lists written, {report.published} prescriptions at NLL",
        f"starts: {report.starts}; ends by status: {report.statuses}",
        *(f"  {count:4}  {name.replace('_', ' ')}" for name, count in told.items()),
        *(f"        {name}: {', '.join(names)}" for name, names in examples.items()),
        *([] if report.ended is None else [f"ended: {report.ended}"]),
        "NOTHING LOST, NOTHING TWICE" if not report.verdict.faults else "FAULTS FOUND",
    ]
    return "\n".join(lines)
