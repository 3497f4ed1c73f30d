"""Folding a patient's facts at once gives what the stream came to bit by bit, to the byte; and the comparison sees all else."""

from collections.abc import Mapping
from itertools import islice

import msgspec
import pytest

from contracts import topics
from contracts.envelope import encode_fact
from contracts.fact import Fact
from streams.command.knowledge import reconciler
from streams.simulate.load import region_mix
from streams.topology.rebuilding.comparing import Difference, compare
from streams.topology.rebuilding.folding import Folded, UnreadableFactsError, fold, groups, patient_of
from streams.topology.rebuilding.grouping import Grouping
from streams.topology.reconciling.core import CLOCK_ROW, ReconcilingCore, tick_record

SEED = 20261122
NAMED = {name: name for name in (topics.LIST, topics.CHANGE, topics.QUARANTINE, topics.FORWARD)}
BATCH = 40


def fresh_core() -> ReconcilingCore:
    """A core that every patient belongs to."""
    return ReconcilingCore(reconciler(), NAMED, lambda _patient: True)


def packed(facts: list[Fact]) -> bytes:
    """A record of the fact topic."""
    return b"[" + b",".join(map(encode_fact, facts)) + b"]"


@pytest.fixture(scope="module")
def records() -> list[bytes]:
    """A region's facts, some hundreds, in packed records."""
    facts = list(islice(region_mix(SEED), 600))
    return [packed(facts[at : at + BATCH]) for at in range(0, len(facts), BATCH)]


def lived(records: list[bytes]) -> tuple[dict[bytes, bytes], dict[str, bytes]]:
    """Rows and newest lists after the stream took one record after the other."""
    core = fresh_core()
    rows: dict[bytes, bytes] = {}
    lists: dict[str, bytes] = {}
    for record in [*records, *[b""] * 3]:  # the last ones let lists change that are due
        decision = core.apply([record])
        rows |= {key: value for key, value in decision.rows.items() if value is not None}
        lists |= {(send.key or b"").decode(): send.value or b"" for send in decision.sends if send.topic == topics.LIST}
    return rows, lists


def rebuilt(records: list[bytes]) -> tuple[Grouping, dict[str, Folded]]:
    """The same records, grouped and folded."""
    grouping = Grouping(lambda _patient: True)
    for record in records:
        grouping.add(record)
    found: dict[str, Folded] = {}
    for group in groups(grouping.events, sorted(grouping.events)):
        found |= fold(fresh_core(), topics.LIST, grouping.clock, grouping.events, group)
    return grouping, found


def differences(
    grouping: Grouping, folded: Mapping[str, Folded], rows: Mapping[bytes, bytes], lists: Mapping[str, bytes]
) -> list[Difference]:
    """All differences of all patients."""
    by_patient: dict[str, dict[bytes, bytes]] = {}
    for key, value in rows.items():
        if key != CLOCK_ROW:
            by_patient.setdefault(patient_of(key), {})[key] = value
    return [
        one
        for patient in sorted(by_patient.keys() | folded.keys() | lists.keys())
        for one in compare(
            patient, folded.get(patient), by_patient.get(patient, {}), lists.get(patient), grouping.clock
        )
    ]


def test_folding_at_once_gives_the_bytes_of_the_stream(records: list[bytes]) -> None:
    """Rows and lists are identical, to the byte, to those that came about record by record."""
    rows, lists = lived(records)

    grouping, folded = rebuilt(records)

    assert differences(grouping, folded, rows, lists) == []
    assert {patient: one.medication_list for patient, one in folded.items()} == lists
    assert rows[CLOCK_ROW] == tick_record(grouping.clock)


def test_the_records_may_come_in_any_cut(records: list[bytes]) -> None:
    """The rebuild does not depend on how facts were packed."""
    one_by_one = [
        b"[" + bytes(event) + b"]"
        for record in records
        for event in msgspec.json.decode(record, type=list[msgspec.Raw])
    ]

    assert rebuilt(one_by_one)[1] == rebuilt(records)[1]


@pytest.mark.parametrize(
    "kind", ["row-missing", "row-extra", "row-differs", "mark-differs", "list-missing", "list-extra", "list-differs"]
)
def test_every_damage_is_seen(records: list[bytes], kind: str) -> None:
    """Whatever of the live side is lost, invented or changed, of one patient only, is named with that patient."""
    rows, lists = lived(records)
    grouping, folded = rebuilt(records)
    patient = sorted(lists)[3]
    row = next(key for key in sorted(rows) if key.startswith(f"{patient}|".encode()) and not key.endswith(b"|m"))
    mark = f"{patient}|m".encode()
    damaged_mark = msgspec.msgpack.decode(rows[mark])
    damaged_mark[0] = b"another digest"
    match kind:
        case "row-missing":
            del rows[row]
        case "row-extra":
            rows[f"{patient}|r|more".encode()] = b"[]"
        case "row-differs":
            rows[row] = rows[row] + b" "
        case "mark-differs":
            rows[mark] = msgspec.msgpack.encode(damaged_mark)
        case "list-missing":
            del lists[patient]
        case "list-extra":
            lists["nobody"] = lists[patient]
        case _:
            lists[patient] = lists[patient] + b" "

    found = differences(grouping, folded, rows, lists)

    assert [one.kind for one in found] == [kind]
    assert found[0].patient == ("nobody" if kind == "list-extra" else patient)


def test_a_list_that_is_about_to_change_is_not_called_wrong(records: list[bytes]) -> None:
    """A live list whose time has come, and that the stream has not yet made anew, is told apart from a fault."""
    rows, lists = lived(records)
    grouping, folded = rebuilt(records)
    patient = sorted(lists)[3]
    mark = f"{patient}|m".encode()
    due = msgspec.msgpack.decode(rows[mark])
    due[3] = grouping.clock
    rows[mark] = msgspec.msgpack.encode(due)
    lists[patient] = b"{}"

    found = differences(grouping, folded, rows, lists)

    assert [(one.patient, one.kind) for one in found] == [(patient, "due")]


def test_unreadable_records_say_nothing_as_in_the_stream(records: list[bytes]) -> None:
    """A record of which one fact cannot be read is passed over whole; so it is when the grouping checks."""
    broken = records[1][:-1] + b',{"subject":"p","type":"no-such","receivedat":"2026-01-01T00:00:00Z","data":{}}]'
    rows, lists = lived([records[0], broken, b"nonsense", b"{}", b"["])
    grouping, checked = Grouping(lambda _patient: True), Grouping(lambda _patient: True, checked=True)
    for record in (records[0], broken, b"nonsense", b"{}", b"["):
        grouping.add(record)
        checked.add(record)

    with pytest.raises(UnreadableFactsError):
        fold(fresh_core(), topics.LIST, grouping.clock, grouping.events, sorted(grouping.events))
    folded = fold(fresh_core(), topics.LIST, checked.clock, checked.events, sorted(checked.events))

    assert differences(checked, folded, rows, lists) == []


def test_ticks_move_the_clock(records: list[bytes]) -> None:
    """Time that passed in the log is time that passed in the rebuild."""
    facts = Grouping(lambda _patient: True)
    for record in records:
        facts.add(record)
    later = facts.clock.replace(year=facts.clock.year + 1)

    rows, lists = lived([*records, tick_record(later)])
    grouping, folded = rebuilt([*records, tick_record(later)])

    assert grouping.clock == later
    assert differences(grouping, folded, rows, lists) == []
