"""Properties of the planner: its plan leads where it should, then is empty, and holds nothing that could be left out."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.medication_list import Finding, MedicationList, StandingPrescription, Withdrawn
from contracts.values import Dosage, DosageStep, Identifier, Period, Quantity, Reference
from mappings.fhir.amendment import ended
from mappings.fhir.content import content_of, differences, treatment_end
from mappings.fhir.data_lock import locked_prescription
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from mappings.fhir.medication_request import KnownPatient, Terms, medication_request
from streams.publish.actual import Actual, known_locks, registered
from streams.publish.desired import Desired, Wanted, desired
from streams.publish.operations import AnyOperation, Cancel, Create, End, Lock, Unlock, Update, kind_of, request_id
from streams.publish.plan import examine, plan
from streams.publish.trail import sending_of
from streams.publish.writes import Writes, is_ours, learned, outstanding
from tests.streams.publish.cases import METOPROLOL_50, NOW, PARACETAMOL, POLICY, line, replaced, standing, the_list

TODAY = NOW.date()
SUBJECT = KnownPatient("p-1")

days = st.integers(-400, 400).map(lambda n: datetime(2026, 3, 1, 23, tzinfo=UTC) + timedelta(days=n))
doses = st.sampled_from([Decimal("0.5"), Decimal("0.50"), Decimal(1), Decimal("1.0"), Decimal(2)])


@st.composite
def dosages(draw: st.DrawFn) -> Dosage:
    """Some dosage; texts few, so that equal ones come up."""
    steps = tuple(
        DosageStep(
            sequence=sequence,
            dose=Quantity(value=draw(doses), unit=draw(st.sampled_from(["{tablet}", "mg", "påse"]))),
            frequency=draw(st.integers(1, 3)),
            period=Decimal(1),
            period_unit="d",
            as_needed=draw(st.booleans()),
            times_of_day=draw(st.sampled_from([(), ("08:00",)])),
            duration_days=draw(st.sampled_from([None, None, 7])),
        )
        for sequence in range(1, draw(st.integers(0, 2)) + 1)
    )
    return Dosage(text=draw(st.sampled_from(["1 tablett varje morgon", "2 vid behov", "enligt schema"])), steps=steps)


def _takes_over(name: str) -> Reference:
    return Reference(role="predecessor", target=Identifier(system="primary-care", value=name))


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of a prescription that may change between versions."""
    start = draw(st.none() | days)
    end = None if start is None else draw(st.none() | st.integers(1, 90).map(lambda n: start + timedelta(days=n)))
    return {
        "period": Period(start=start, end=end),
        "dosage": draw(dosages()),
        "purpose": draw(st.sampled_from([None, "mot smärta", "mot högt blodtryck"])),
        "valid_until": draw(st.sampled_from([None, date(2026, 2, 1), date(2027, 3, 1)])),
        "dispenses_allowed": draw(st.sampled_from([None, 1, 4])),
        "note": draw(st.sampled_from([None, "ring patienten"])),
        "references": draw(st.sampled_from([(), (), *((_takes_over(name),) for name in ("a", "b", "cp"))])),
        "status": draw(st.sampled_from(["active", "active", "active", "stopped", "on-hold", "completed", "unknown"])),
    }


@st.composite
def prescriptions(draw: st.DrawFn, names: st.SearchStrategy[str]) -> StandingPrescription:
    """A prescription of one of a few records."""
    name = draw(names)
    states = ["active", "active", "active", "planned", "paused", "dormant", "ended", "cancelled", "unknown"]
    return standing(
        name,
        state=draw(st.sampled_from(states)),
        source=draw(st.sampled_from(["primary-care", "primary-care", "hospital", "nll", "stranger"])),
        setting=draw(st.sampled_from(["outpatient", "outpatient", "outpatient", "inpatient"])),
        medication=PARACETAMOL if name.endswith("p") else METOPROLOL_50,
        **draw(contents()),
    )


@st.composite
def lists(draw: st.DrawFn) -> MedicationList:
    """A list with up to four records, some withdrawn, some in conflict or undecided."""
    names = draw(st.lists(st.sampled_from(["a", "b", "cp", "dp"]), unique=True, max_size=4))
    chosen = [draw(prescriptions(st.just(name))) for name in names]
    lines = [
        line(one, undecided=("dose",) if draw(st.sampled_from([False, False, False, True])) else ()) for one in chosen
    ]
    conflicting = tuple(one.strand for one in lines if draw(st.sampled_from([False, False, False, True])))
    findings = tuple(
        Finding(code="dose-differs", severity="high", conflict=True, items=(strand,), facts=(), key=strand)
        for strand in conflicting
    )
    withdrawn = tuple(
        Withdrawn(
            record=standing(name).record,
            source="primary-care",
            source_id=name,
            reason=draw(st.sampled_from(["retracted", "blocked"])),
            because=("fact",),
            block="integrity",
            over=draw(st.sampled_from([None, None, "ended", "cancelled"])),
        )
        for name in ("a", "b")
        if name not in names and draw(st.booleans())
    )
    return the_list(*lines, withdrawn=withdrawn, findings=findings)


def applied(operations: tuple[AnyOperation, ...], actual: Actual) -> Actual:
    """The endpoint after these writes, as a server carries them out: ids, versions, validity, ended predecessors.

    What is known of our own writes is learnt from it, as an attempt learns.
    """
    told = [sent for one in operations if (sent := sending_of(one, actual)) is not None]
    resources = {one.id: one.resource for one in actual.registered}
    locks = {one.id: one.resource for one in actual.locks}
    for operation in operations:
        match operation:
            case Lock(resource=resource, id=known):
                locks[known or f"b-{len(locks) + 1}"] = _next(resource)
            case Unlock(id=name, resource=resource):
                locks[name] = _next(resource)
            case Create(resource=resource, replaces=replaces):
                name = f"f-{len(resources) + 1}"
                stored = _completed(resource, name)
                resources[name] = stored
                if replaces is not None:
                    resources[replaces] = _next(ended(resources[replaces]))
            case (
                Update(id=name, resource=resource)
                | Cancel(id=name, resource=resource)
                | End(id=name, resource=resource)
            ):
                resources[name] = _next(resource)
    found = [read_json(write_json(one)) for one in resources.values()]
    hidden = known_locks({**one, "id": name} for name, one in locks.items())
    writes = learned(outstanding(actual.writes, told), found)
    return msgspec.structs.replace(actual, registered=registered(found), locks=hidden, writes=writes)


def changed_by_another(draw: st.DataObject, actual: Actual) -> Actual:
    """The endpoint after somebody else has changed, ended, or changed back some of what is there, at some time."""
    found = []
    for one in actual.registered:
        resource = one.resource
        match draw.draw(st.sampled_from(["nothing", "dose", "note", "end"])):
            case "dose":
                step = {"sequence": 1, "patientInstruction": draw.draw(st.sampled_from(["9 tabletter", "1 vid behov"]))}
                resource = _next(resource | {"dosageInstruction": [step]})
            case "note":
                resource = _next(resource | {"note": [{"text": "ringt patienten"}]})
            case "end":
                resource = _next(ended(resource))
            case _:
                pass
        at = draw.draw(st.sampled_from([NOW - timedelta(days=1), NOW + timedelta(days=1), None]))
        times = {} if at is None else {"lastUpdated": at.isoformat()}
        found.append(resource | {"meta": resource["meta"] | times})
    resources = [read_json(write_json(one)) for one in found]
    writes = draw.draw(st.sampled_from([learned(actual.writes, resources), Writes()]))
    return msgspec.structs.replace(actual, registered=registered(resources), writes=writes)


def _completed(resource: JsonObject, name: str) -> JsonObject:
    request = dict(resource.get("dispenseRequest", {}))
    request.setdefault("validityPeriod", {"end": "2027-03-02"})
    stored = resource | {"id": name, "meta": {"versionId": "1"}, "dispenseRequest": request}
    return {"authoredOn": "2026-03-02T10:00:00+01:00"} | stored


def _next(resource: JsonObject) -> JsonObject:
    version = int(resource.get("meta", {}).get("versionId", 0)) + 1
    return resource | {"meta": {"versionId": str(version)}}


def nothing_there() -> Actual:
    """An endpoint that holds nothing."""
    return Actual(subject=SUBJECT, read_on=TODAY)


@given(lists())
def test_after_its_plan_there_is_nothing_to_do(wish: MedicationList) -> None:
    """Applying the plan makes the endpoint what the list asks for: planning again is empty."""
    asked = desired(wish, POLICY)

    after = applied(plan(asked, nothing_there(), POLICY), nothing_there())

    assert plan(asked, after, POLICY) == ()
    assert shortfalls(asked, after) == []


@given(st.lists(lists(), min_size=2, max_size=4))
def test_every_later_list_is_reached_from_every_earlier_one(wishes: list[MedicationList]) -> None:
    """Whatever was published before, the plan of the next list leads to it and is then empty."""
    actual = nothing_there()

    for wish in wishes:
        asked = desired(wish, POLICY)
        actual = applied(plan(asked, actual, POLICY), actual)
        assert plan(asked, actual, POLICY) == ()
        assert shortfalls(asked, actual) == []


@given(st.lists(lists(), min_size=2, max_size=3))
def test_a_plan_is_minimal(wishes: list[MedicationList]) -> None:
    """At most one write per prescription, and no part of it, however chosen, reaches what the list asks for.

    What is reached is told by the endpoint's contents alone (`shortfalls`), not by planning again.
    """
    actual = nothing_there()
    for wish in wishes[:-1]:
        actual = applied(plan(desired(wish, POLICY), actual, POLICY), actual)
    asked = desired(wishes[-1], POLICY)

    operations = plan(asked, actual, POLICY)

    targets = [
        (one.record, "" if isinstance(one, Create) else one.resource.get("id", "a new lock")) for one in operations
    ]
    assert len(targets) == len(set(targets))
    assert shortfalls(asked, applied(operations, actual)) == []
    for count in range(len(operations)):
        for part in combinations(operations, count):
            assert shortfalls(asked, applied(part, actual)) != []
            assert plan(asked, applied(part, actual), POLICY) != ()


@given(lists(), lists(), st.data())
def test_no_older_decision_overwrites_what_another_changed(
    before: MedicationList, after: MedicationList, data: st.DataObject
) -> None:
    """Whatever another did, whatever is recorded: what is written upon is ours, or older than what our source decided."""
    begun = applied(plan(desired(before, POLICY), nothing_there(), POLICY), nothing_there())
    actual = changed_by_another(data, begun)
    asked = desired(after, POLICY)

    found = examine(asked, actual, POLICY)

    there = {one.id: one for one in actual.registered}
    decided = {one.record: one.prescription.recorded_at for one in asked.wanted}
    for one in found.operations:
        name = one.replaces if isinstance(one, Create) else getattr(one, "id", None)
        target = None if isinstance(one, Lock | Unlock) else there.get(name or "")
        if target is None or is_ours(target.resource, actual.writes):
            continue
        at, changed_at = decided.get(one.record), target.resource["meta"].get("lastUpdated")
        heir = any(isinstance(other, Create) and other.replaces == target.id for other in found.operations)
        assert heir or (at is not None and changed_at is not None and at > datetime.fromisoformat(changed_at))
    assert shortfalls(asked, applied(found.operations, actual)) == []


@given(contents(), contents())
def test_one_that_takes_over_from_another_is_one_write(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Whatever both say, and whatever else changes: the old one ends and the new one stands, and then all is done."""
    usual = {"status": "active", "valid_until": None}
    former = standing("a", **before | usual | {"references": ()})
    heir = standing("b", **after | usual | {"references": (_takes_over("a"),)})
    begun = applied(plan(desired(the_list(line(former)), POLICY), nothing_there(), POLICY), nothing_there())
    over = replaced(former, state="ended", status="stopped")
    asked = desired(the_list(line(over), line(heir)), POLICY)
    assume(begun.registered and not examine(asked, begun, POLICY).held)

    operations = plan(asked, begun, POLICY)

    assert [kind_of(one) for one in operations] == ["replace"]
    assert shortfalls(asked, applied(operations, begun)) == []
    assert plan(asked, applied(operations, begun), POLICY) == ()


@given(lists(), lists())
def test_what_is_held_back_or_unknown_is_left_alone(before: MedicationList, after: MedicationList) -> None:
    """No write touches a record that the list holds back, or that it does not name at all."""
    actual = applied(plan(desired(before, POLICY), nothing_there(), POLICY), nothing_there())
    asked = desired(after, POLICY)

    found = examine(asked, actual, POLICY)

    named = {one.record for one in asked.wanted} | {one.record for one in asked.retire}
    held = {one.record for one in (*asked.held, *found.held) if one.reason != "blocked"}
    about = {one.record for one in found.operations if not isinstance(one, Unlock)}
    assert about <= named - held


@given(lists())
def test_equal_wishes_have_equal_request_ids(wish: MedicationList) -> None:
    """A retry is recognisable, and two writes of a plan never share an id."""
    operations = plan(desired(wish, POLICY), nothing_there(), POLICY)

    ids = [request_id("p", one) for one in operations]

    assert ids == [request_id("p", one) for one in plan(desired(wish, POLICY), nothing_there(), POLICY)]
    assert len(ids) == len(set(ids))
    assert not set(ids) & {request_id("q", one) for one in operations}


def shortfalls(asked: Desired, actual: Actual) -> list[str]:
    """In what the endpoint is not as the list asks.

    The planner is asked for one thing only: what it holds back because of how things stand there.
    """
    held = {one.record for one in examine(asked, actual, POLICY).held}
    short = [_short(one, actual) for one in asked.wanted if one.record not in held]
    for retire in asked.retire:
        created = () if retire.record in held and retire.how != "lock" else actual.of_record(retire.record)
        hidden = {locked_prescription(one.resource) for one in actual.locks if one.in_force}
        if retire.how == "lock":
            short += [f"{one.id} is not hidden" for one in created if one.id not in hidden]
        else:
            short += [f"{one.id} is still open" for one in created if not one.closed]
    shown = {one.record for one in asked.wanted} | {one.record for one in asked.held if one.reason != "blocked"}
    blocked = {one.record for one in asked.retire if one.how == "lock"}
    short += [
        f"{one.id} hides what is shown" for one in actual.locks if one.in_force and (shown - blocked) & {*one.records}
    ]
    return [one for one in short if one is not None]


def _short(wanted: Wanted, actual: Actual) -> str | None:
    there = [one for one in actual.of_record(wanted.record) if not one.closed]
    match wanted.target:
        case "standing":
            if len(there) != 1:
                return f"{wanted.record} stands {len(there)} times"
            ours = medication_request(wanted.prescription, Terms(subject=SUBJECT, issued=_issued(there[0].resource)))
            assert isinstance(ours, dict)
            changed = differences(content_of(ours), content_of(there[0].resource))
            return f"{wanted.record} differs in {changed}" if changed else None
        case "run-out":
            end = wanted.prescription.content.period.end
            unaware = [one for one in there if one.dispensable and (end is None or treatment_end(one.resource) != end)]
            return f"{wanted.record} can be dispensed after its end" if unaware else None
        case "ended" | "cancelled":
            return f"{wanted.record} is still open" if there else None


def _issued(resource: JsonObject) -> datetime:
    return datetime.fromisoformat(resource["authoredOn"])


def test_kinds_are_those_of_the_contract() -> None:
    """Every write has a name that a publication may carry."""
    rx = standing()
    created = plan(desired(the_list(line(rx)), POLICY), nothing_there(), POLICY)

    assert [kind_of(one) for one in created] == ["create"]
