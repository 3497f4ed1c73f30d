"""Lists to map: those of the recordings, of the story, and of simulated patients, as the reconciler makes them."""

from datetime import UTC, datetime, timedelta
from functools import cache

from contracts.fact import Fact
from contracts.medication_list import MedicationList, encode_list
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from mappings.fhir.regional import Edition, list_version, regional_bundle
from mappings.sources.readers import READERS
from streams.command.knowledge import reconciler
from streams.reconcile.population import lists
from streams.simulate.world import simulate
from tests.mappings.recordings import ROOT, discover

_SEED = 20261122
SIMULATED = 12
PUT_OUT_AT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


@cache
def recorded(folder: str = "") -> tuple[MedicationList, ...]:
    """The lists of all recordings, or of those below one folder; valid a day after the last receipt."""
    facts: list[Fact] = []
    for recording in discover():
        if recording.folder.is_relative_to(ROOT / folder):
            facts += READERS[recording.source.reader](recording.message, recording.context).facts
    assert facts
    return _lists(facts)


def story() -> MedicationList:
    """The list of the story's patient at its end."""
    (only,) = recorded("story")
    return only


@cache
def simulated(patients: int) -> tuple[MedicationList, ...]:
    """The lists of simulated patients."""
    return _lists([fact for index in range(patients) for fact in simulate(_SEED, index).facts])


WHERE_FROM = ("recordings", "story", "simulated")


def lists_from(where: str) -> tuple[MedicationList, ...]:
    """The lists of one of ``WHERE_FROM``."""
    match where:
        case "recordings":
            return recorded()
        case "story":
            return (story(),)
        case _:
            return simulated(SIMULATED)


def edition(one: MedicationList, put_out_at: datetime | None = PUT_OUT_AT) -> Edition:
    """The edition that a list is published as."""
    return Edition(version=list_version(encode_list(one)), put_out_at=put_out_at)


def bundle(one: MedicationList, put_out_at: datetime | None = PUT_OUT_AT) -> JsonObject:
    """The Bundle of a list as a reader sees it: written and read back."""
    written: JsonObject = read_json(write_json(regional_bundle(one, edition(one, put_out_at))))
    return written


def _lists(facts: list[Fact]) -> tuple[MedicationList, ...]:
    last = max(fact.received_at for fact in facts)
    return tuple(lists(facts, reconciler(), last + timedelta(days=1)))
