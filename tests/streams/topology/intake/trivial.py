"""A reader for tests of the intake: one JSON object per message that says how many facts and problems it becomes.

`{"ids": ["a", "b"], "of": "191212121212", "recorded": "2026-01-01T00:00:00Z", "broken": 1, "link": "...", "filler": 10}`
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.person import IdentityLink
from contracts.facts.reported_use import ReportedUse
from contracts.problems import Problem
from contracts.sources import SourceSystem
from contracts.systems import PERSONNUMMER
from contracts.topics import FACT, QUARANTINE, ack_topic, input_topic
from contracts.values import Identifier, Medication
from mappings.sources.reading import Context, Message, Reader, Reading

PERSON = "191212121212"
OTHER_PERSON = "195009072553"
SOURCE = SourceSystem(
    id="hospital",
    reader="trivial",
    topic=input_topic("hospital", "medication"),
    zone="Europe/Stockholm",
    end_date="last-day-taken",
)
UNREADABLE = Problem(code="unreadable", place="message", text="send JSON")


class Says(msgspec.Struct, omit_defaults=True):
    """What a test message says."""

    ids: Sequence[str] = ()
    of: str = PERSON
    link: str | None = None
    recorded: datetime | None = None
    broken: int = 0
    filler: int = 0


def said(**values: object) -> bytes:
    """The bytes of a test message."""
    return msgspec.json.encode(Says(**values))  # type: ignore[arg-type]  # the test names the fields


def read(message: Message, context: Context) -> Reading:
    """Read one test message."""
    try:
        says = msgspec.json.decode(message.value, type=Says)
    except msgspec.DecodeError:
        return Reading(problems=(UNREADABLE,))
    facts = tuple(_fact(says, name, context) for name in says.ids)
    problems = (Problem(code="missing", place=f"rows[{i}]", text="is required") for i in range(says.broken))
    return Reading(facts=facts, problems=tuple(problems))


READERS: Mapping[str, Reader] = {"trivial": read}


def _fact(says: Says, name: str, context: Context) -> Fact:
    person = Identifier(system=PERSONNUMMER, value=says.of)
    origin = Origin(
        source=context.source.id, source_id=name, patient=context.pseudonym(person), recorded_at=says.recorded
    )
    if says.link is not None:
        other = Identifier(system=PERSONNUMMER, value=says.link)
        link = IdentityLink(
            person=person, other=other, other_patient=context.pseudonym(other), status="linked", cause="merged"
        )
        return make_fact(origin, link, context.received_at)
    medication = Medication(kind="free-text", text="x" * says.filler)
    use = ReportedUse(person=person, medication=medication, status="taking", informant="patient")
    return make_fact(origin, use, context.received_at)


def topics(partitions: int) -> dict[str, int]:
    """The topics that an intake of `SOURCE` needs, with their partitions."""
    return {SOURCE.topic: 3, ack_topic(SOURCE.id): 1, FACT: partitions, QUARANTINE: partitions}
