"""One run: everything up, a vendor that sends, faults that strike, everything healed, and the verdict."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import KafkaException

from streams.topology.problems import EngineCode
from tests.faults.evidence import gather
from tests.faults.members import Member, MemberEndedError, logs
from tests.faults.nemeses import RESTARTS, WEIGHTS, Nemesis, restart_again_and_again
from tests.faults.stage import Setting, Stage, running_stage
from tests.faults.verdict import Verdict, judge

CATCH_UP_SECONDS = 300.0
LEAST_PAUSE_SECONDS = 0.5
STOPPED = '.stopped"'
"""In every line with which a process of ours says why it ends itself: `engine.stopped`, `intake.stopped`."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to be: these faults, one after the other. `seed` decides all that is random about them."""

    seed: int
    strikes: Sequence[Nemesis]
    setting: Setting
    pause_seconds: float = 3.0
    """Between one fault and the next, on average."""
    least_seconds: float = 0.0
    """When the faults are through before, more are drawn until then."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was and what came of it."""

    seed: int
    brokers: int
    seconds: float
    faults: int
    by_kind: dict[str, int]
    timeline: list[tuple[float, str]]
    messages_sent: int
    messages_accepted: int
    clean_restarts: int
    """Of processes that stopped when asked to and came back to what had come meanwhile."""
    facts_in_the_log: int
    facts_applied: int
    lists_written: int
    published: int
    starts: dict[str, int]
    statuses: dict[str, int]
    stops: dict[str, int]
    """Processes that ended themselves, by the code that they gave as their reason."""
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
            for nemesis in lasting(plan, begun):
                stage.members.watch_for(LEAST_PAUSE_SECONDS + chance.expovariate(1 / plan.pause_seconds))
                at = round(time.monotonic() - begun, 1)
                told = struck(nemesis, stage, chance)
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
        unstopped = sum(not stops_in_order(member, tell) for member in stage.members.of())
        tell("reading everything back")
        evidence = gather(stage)
        verdict = judge(evidence, stuck=unstopped + (not caught_up), unacknowledged=stage.vendor.unacknowledged)
        return Report(
            seed=plan.seed,
            brokers=plan.setting.brokers,
            seconds=round(time.monotonic() - begun, 1),
            faults=len(timeline),
            by_kind=dict(kinds),
            timeline=timeline,
            messages_sent=stage.vendor.messages,
            messages_accepted=len(stage.vendor.accepted),
            clean_restarts=sum(member.clean_restarts for member in stage.members.of()),
            facts_in_the_log=sum(sum(facts.values()) for facts in evidence.log.values()),
            facts_applied=sum(sum(facts.values()) for facts in evidence.applied.values()),
            lists_written=sum(map(len, evidence.lists.values())),
            published=sum(map(len, evidence.held.values())),
            starts={member.name: member.starts for member in stage.members.of()},
            statuses=dict(statuses),
            stops=stops(logs(directory)),
            ended=ended,
            verdict=verdict,
        )


def struck(nemesis: Nemesis, stage: Stage, chance: random.Random) -> str:
    """What a nemesis did; that it could not, where a broker did not even answer the client that it asks with."""
    try:
        return nemesis(stage, chance)
    except (KafkaException, TimeoutError) as failure:
        return f"{nemesis.__name__} came to nothing: {type(failure).__name__}"


def lasting(plan: Plan, begun: float) -> Iterator[Nemesis]:
    """The faults of a plan, and more of the kind until its time is over."""
    yield from plan.strikes
    more = random.Random(plan.seed + 1)
    while time.monotonic() < begun + plan.least_seconds:
        yield from more.choices(list(WEIGHTS), list(WEIGHTS.values()))


def drawn(seed: int, faults: int, *, least_restarts: int = 0) -> list[Nemesis]:
    """Random faults by their weights; of one reconciler's clean restarts with a backlog at least so many among them."""
    chance = random.Random(seed)
    strikes = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=faults)
    while strikes.count(restart_again_and_again) * RESTARTS < least_restarts:
        strikes.insert(chance.randrange(len(strikes)), restart_again_and_again)
    return strikes


def stops(paths: Iterable[Path]) -> dict[str, int]:
    """Code of a stop -> how often a process gave it as its reason, from the processes' logs."""
    found: Counter[str] = Counter()
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            if STOPPED in line and line.startswith("{") and line.endswith("}"):
                found.update(reason(json.loads(line)))
    return dict(sorted(found.items()))


def reason(line: dict[str, Any]) -> list[str]:
    """The code of a stop; of one that nobody foresaw also what it was, since that should have a code."""
    code = line.get("error_code")
    if code == EngineCode.UNFORESEEN.code:
        return [f"{code} {line.get('error_text')}"]
    return [str(code)] if code else []


def settle(stage: Stage, tell: Callable[[str], None]) -> bool:
    """Wait until everything that was sent is through; whether it came to that."""
    tell("healed; waiting until everything is through")
    try:
        return stage.members.wait_until_caught_up(CATCH_UP_SECONDS)
    except MemberEndedError as error:
        tell(str(error))
        return False


def stops_in_order(member: Member, tell: Callable[[str], None]) -> bool:
    """Stop a process for good; whether it went as it should."""
    try:
        return member.stop() == 0
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
        f"{report.faults} faults in {report.seconds:.0f} s, seed {report.seed}, {report.brokers} broker(s)",
        *(f"  {count:4}  {kind.replace('_', ' ')}" for kind, count in sorted(report.by_kind.items())),
        f"{report.messages_sent} messages sent, {report.messages_accepted} different ones accepted",
        f"{report.facts_in_the_log} facts in the log, {report.facts_applied} applied",
        f"{report.lists_written} lists written, {report.published} prescriptions at NLL",
        f"{report.clean_restarts} clean restarts with a backlog",
        f"starts: {report.starts}; ends by status: {report.statuses}; stopped themselves: {report.stops}",
        *(f"  {count:4}  {name.replace('_', ' ')}" for name, count in told.items()),
        *(f"        {name}: {', '.join(names)}" for name, names in examples.items()),
        *([] if report.ended is None else [f"ended: {report.ended}"]),
        "NOTHING LOST, NOTHING TWICE" if not report.verdict.faults else "FAULTS FOUND",
    ]
    return "\n".join(lines)
