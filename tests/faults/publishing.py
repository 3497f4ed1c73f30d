"""The publisher under faults: `python -m tests.faults.publishing [--patients 2000 --changes 20000 --kills 30]`.

Lists of many patients go to a publisher on a real Kafka while every fault switch of the NLL sandbox is on at random and the
publisher is killed at random points. In the end the sandbox's own history and log are held against the lists: 0 lost, 0
duplicated, 0 older states over newer, 0 writes without clinical change. Report in `build/faults/publishing.json` and `.txt`;
exit status 1 for any fault.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from pydantic import SecretStr

from connectors.kafka.clients import PASSING, consumer_config
from connectors.kafka.newest import newest_values
from connectors.nll_sandbox.settings import TEST_CLIENTS
from connectors.settings import Settings
from connectors.telemetry import configure
from contracts.medication_list import MedicationList, encode_list
from contracts.publication import Publication, decode_publication
from contracts.topics import LIST, PUBLISH, PUBLISH_REQUEST
from mappings.fhir.exact_json import read_json
from tests.faults.publishing_lists import Course
from tests.faults.publishing_verdict import Evidence, Verdict, judge
from tests.kafka.found import some_broker
from tests.kafka.topics import create_topics
from tests.streams.publish.cases import NOW
from tests.streams.topology.publisher.wire import PARTITIONS
from tests.streams.topology.publisher.worker import Worker, worker

RESULTS: Final = Path(__file__).parents[2] / "build" / "faults"
SEED: Final = 20261122
STILL_SECONDS: Final = 120.0
"""How long nothing at all may be committed."""
REDRAWN_EVERY: Final = 250
"""How many lists are sent under one draw of the fault switches."""
LOOK_SECONDS: Final = 0.05
MOST: Final[dict[str, dict[str, float]]] = {
    "latency": {"probability": 0.3, "seconds": 0.02},
    "too_many_requests": {"probability": 0.08, "retry_after": 0},
    "server_error": {"probability": 0.1},
    "expire_token": {"probability": 0.05},
    "version_conflict": {"probability": 0.15},
    "stale_read": {"probability": 0.15},
    "drop_after_commit": {"probability": 0.15},
    "error_after_commit": {"probability": 0.15},
}
"""The most that each switch is turned to; half of it is the least."""
CLIENT: Final = "medlist"
SECRET: Final = SecretStr(TEST_CLIENTS[CLIENT].secret)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How many patients, lists of them all, and kills."""

    patients: int
    changes: int
    kills: int
    seed: int = SEED

    @property
    def waiting(self) -> int:
        """How many lists may wait: so few that a patient's next list seldom replaces one that still waits."""
        return min(max(self.patients // 4, 1), 200)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and what came of it."""

    plan: Plan
    lists: int
    seconds: float
    killed_after_lists: tuple[int, ...]
    faults_struck: dict[str, int]
    requests: int
    writes: int
    versions_stored: int
    replays: int
    verdict: Verdict


class Sandbox:
    """The sandbox's own addresses."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.struck: Counter[str] = Counter()

    def ask(self, path: str, body: object = None) -> Any:
        """Ask, or tell."""
        data = None if body is None else msgspec.json.encode(body)
        with urllib.request.urlopen(f"{self.url}/_sandbox/{path}", data, timeout=120) as answer:  # noqa: S310 - ours
            return read_json(answer.read())

    def switch(self, seed: int, switches: dict[str, dict[str, float]]) -> None:
        """Turn the fault switches; counts what struck before."""
        self.struck.update(self.ask("faults")["struck"])
        self.ask("faults", {"seed": seed, "switches": switches})


def _standing(publication: Publication) -> str:
    """How a patient stands; of one who is not published also why."""
    problems = [f"{one.code} {one.place} {one.record or ''}".strip() for one in publication.problems]
    return " ".join([publication.state, *problems])


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in a process of its own, its clock standing still."""
    command = [sys.executable, "-m", "streams.command", "nll-sandbox", "--port", "0", "--clock", NOW.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Sandbox(msgspec.json.decode(process.stdout.readline())["url"])
        finally:
            process.terminate()


def run(bootstrap: str, directory: Path, plan: Plan, say: Callable[[str], None]) -> Report:
    """Send, break, kill, wait, judge."""
    prefix = f"p{uuid.uuid4().hex[:8]}."
    create_topics(bootstrap, {f"{prefix}{name}": PARTITIONS for name in (LIST, PUBLISH, PUBLISH_REQUEST)})
    with sandbox() as there:
        settings = Settings.for_demo(bootstrap, nll_base_url=there.url, topic_prefix=prefix)
        told = {"nll_token_url": f"{there.url}/oauth2/token", "nll_client_id": CLIENT, "nll_client_secret": SECRET}
        settings = settings.model_copy(update=told | {"publisher_group": f"{prefix}medlist-publisher"})
        began = time.monotonic()
        with worker(settings, directory / "publisher.log") as running:
            courses, killed, sent = _drive(settings, there, running, plan, say)
            assert running.process.poll() is None, "the publisher ended by itself; see publisher.log"
        return _report(plan, settings, there, courses, (killed, sent, time.monotonic() - began))


def _drive(
    settings: Settings, there: Sandbox, running: Worker, plan: Plan, say: Callable[[str], None]
) -> tuple[list[Course], list[int], int]:
    chance, moments = random.Random(plan.seed), random.Random(plan.seed)
    courses = [Course(number, plan.seed) for number in range(plan.patients)]
    feed = Feed(settings, courses, plan.changes)
    kills = sorted(chance.sample(range(1, plan.changes), plan.kills))
    killed: list[int] = []
    for number, one in enumerate(feed.lists(), 1):
        if number % REDRAWN_EVERY == 1:
            there.switch(chance.randrange(2**31), _drawn(chance))
        feed.send(one)
        feed.wait(plan.waiting)
        while kills and feed.committed >= kills[0]:
            time.sleep(moments.random() * 0.2)  # anywhere in what it is doing
            running.kill()
            killed.append(kills.pop(0))
            say(f"{feed.committed} of {plan.changes} lists settled, killed {len(killed)} times")
    while feed.committed < feed.sent:
        feed.wait(max(feed.sent - feed.committed - 20, 0))
        if kills:
            running.kill()
            killed.append(kills.pop(0))
    there.switch(0, {})
    return courses, killed, feed.sent


class Feed:
    """Sends lists, each patient's in order, and sees how many are settled."""

    def __init__(self, settings: Settings, courses: list[Course], changes: int) -> None:
        self._topic = settings.topic(LIST)
        self._producer = Producer(settings.kafka_client() | {"acks": "all", "linger.ms": 5})
        self._asker = Consumer(consumer_config(settings, settings.publisher_group))
        self._courses = courses
        self._changes = changes
        self.sent = 0
        self.committed = 0

    def lists(self) -> Iterator[MedicationList]:
        """The lists of all patients by turns, as many as there are changes."""
        each, more = divmod(self._changes, len(self._courses))
        turns = [course.lists(each + (number < more)) for number, course in enumerate(self._courses)]
        for _ in range(each + 1):
            for turn in turns:
                if (one := next(turn, None)) is not None:
                    yield one

    def send(self, one: MedicationList) -> None:
        """Put a list where the reconciler would."""
        partition = int(one.patient.rpartition("-")[2]) % PARTITIONS
        self._producer.produce(self._topic, encode_list(one), key=one.patient.encode(), partition=partition)
        self.sent += 1
        self._producer.poll(0)

    def wait(self, most: int) -> None:
        """Wait until no more than so many lists are not settled."""
        if self.sent - self.committed <= most:
            return
        assert self._producer.flush(30) == 0
        heard_at, last = time.monotonic(), self.committed
        while self.sent - self.committed > most:
            self.committed = self._settled()
            if self.committed != last:
                heard_at, last = time.monotonic(), self.committed
            assert time.monotonic() - heard_at < STILL_SECONDS, f"nothing settled for {STILL_SECONDS} s"
            time.sleep(LOOK_SECONDS)

    def _settled(self) -> int:
        asked = [TopicPartition(self._topic, number) for number in range(PARTITIONS)]
        try:
            return sum(max(one.offset, 0) for one in self._asker.committed(asked, timeout=30))
        except KafkaException as error:
            if error.args[0].code() not in PASSING:
                raise
            return self.committed  # the coordinator moves; asked again


def _drawn(chance: random.Random) -> dict[str, dict[str, float]]:
    return {
        name: switch | {"probability": round((1 + chance.random()) / 2 * switch["probability"], 3)}
        for name, switch in MOST.items()
    }


def _report(
    plan: Plan, settings: Settings, there: Sandbox, courses: list[Course], driven: tuple[list[int], int, float]
) -> Report:
    killed, sent, seconds = driven
    summary = there.ask("audit?limit=1")["summary"]
    told = newest_values(settings, PUBLISH, range(PARTITIONS))
    evidence = Evidence(
        prescriptions=there.ask("history?kind=MedicationRequest"),
        basics=there.ask("history?kind=Basic"),
        summary=summary,
        states={patient: _standing(decode_publication(value)) for patient, value in told.items()},
    )
    return Report(
        plan=plan,
        lists=sent,
        seconds=round(seconds, 1),
        killed_after_lists=tuple(killed),
        faults_struck=dict(sorted(there.struck.items())),
        requests=summary["requests"],
        writes=summary["writes"],
        versions_stored=summary["versions_stored"],
        replays=summary["replays"],
        verdict=judge((course.wanted() for course in courses), evidence),
    )


def as_text(report: Report) -> str:
    """The report for a person."""
    plan, verdict = report.plan, report.verdict
    struck = ", ".join(f"{name} {count}" for name, count in report.faults_struck.items())
    lines = [
        f"{plan.patients} patients, {report.lists} lists, killed {len(report.killed_after_lists)} times, seed {plan.seed}",
        f"{report.seconds} s, {report.lists / report.seconds:.1f} lists a second",
        f"the sandbox saw {report.requests} requests, {report.writes} writes, {report.versions_stored} versions stored",
        f"faults that struck: {struck}",
        f"lost {verdict.lost}, left open {verdict.left_open}, duplicated {verdict.duplicated}, locks wrong {verdict.locks_wrong}",
        f"older over newer {verdict.older_over_newer}, without clinical change {verdict.needless}",
        f"unsettled {verdict.unsettled}",
        *verdict.examples,
        "GOOD" if verdict.good else "FAULTS FOUND",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run, print, write; the exit status."""
    parser = argparse.ArgumentParser(prog="publishing", description=__doc__)
    parser.add_argument("--patients", type=int, default=2_000)
    parser.add_argument("--changes", type=int, default=20_000, help="lists, of all patients together")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    configure("error")
    plan = Plan(patients=chosen.patients, changes=chosen.changes, kills=chosen.kills, seed=chosen.seed)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="medlist-publishing-") as name:
        directory = Path(name)
        with some_broker(directory / "broker", os.environ.get("MEDLIST_KAFKA")) as broker:
            report = run(broker.bootstrap, directory, plan, lambda text: print(text, flush=True))
        if not report.verdict.good:
            (RESULTS / "publishing.log").write_bytes((directory / "publisher.log").read_bytes())
    (RESULTS / "publishing.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    text = as_text(report)
    (RESULTS / "publishing.txt").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0 if report.verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
