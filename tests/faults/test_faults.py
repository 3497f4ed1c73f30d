"""A short run of faults against the whole system on a real Kafka; and a run with planted faults, which must be found."""

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.command.composition import Role
from tests.faults.nemeses import Nemesis, cut_connections, endpoint_faulty
from tests.faults.plants import PLANTS, Plant
from tests.faults.run import Plan, as_text, run
from tests.faults.stage import Setting, Stage
from tests.faults.verdict import Verdict

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]  # a run, its draining and its judgement, on a busy machine

SEED = 7


def send(number: signal.Signals, role: Role) -> Nemesis:
    """A signal to the first process of a role."""

    def strike(stage: Stage, _chance: random.Random) -> str:
        stage.members.of(role)[0].send(number)
        return f"{number.name} {role}"

    return strike


def wait(seconds: float) -> Nemesis:
    """No fault: let the vendor send for a while."""

    def strike(stage: Stage, _chance: random.Random) -> str:
        stage.members.watch_for(seconds)
        return f"{seconds} s of nothing"

    return strike


STRIKES = (
    send(signal.SIGKILL, "reconciler"),
    endpoint_faulty,
    send(signal.SIGTERM, "intake"),
    send(signal.SIGKILL, "publisher"),
    cut_connections,
    send(signal.SIGTERM, "reconciler"),
    send(signal.SIGKILL, "intake"),
)


@pytest.fixture
def judged(tmp_path: Path, kafka: str) -> Callable[..., tuple[Verdict, str]]:
    """Run strikes; the verdict and the report. The shared broker is asked for only to skip where none can be had."""
    del kafka

    def judge(*strikes: Nemesis, plants: tuple[Plant, ...] = ()) -> tuple[Verdict, str]:
        plan = Plan(seed=SEED, strikes=strikes, pause_seconds=0.5, setting=Setting(seed=SEED, plants=plants))
        report = run(tmp_path, plan, print)
        return report.verdict, as_text(report)

    return judge


def test_nothing_is_lost_and_nothing_twice(judged: Callable[..., tuple[Verdict, str]]) -> None:
    """Every process killed or stopped under load, connections cut and an endpoint that lies: everything comes through once."""
    verdict, report = judged(*STRIKES)

    assert verdict == Verdict(), report


@pytest.mark.slow
def test_what_is_planted_is_found(judged: Callable[..., tuple[Verdict, str]]) -> None:
    """A record passed over, one applied twice, an older list written last: the same run finds each, under its names."""
    verdict, report = judged(wait(8.0), plants=PLANTS)

    lose = {"facts_lost", "partitions_out_of_order", "lists_wrong"}
    double = {"facts_twice", "partitions_out_of_order"}
    overtake = {"lists_stale", "lists_wrong"}
    assert lose | double | overtake <= verdict.examples.keys(), report
