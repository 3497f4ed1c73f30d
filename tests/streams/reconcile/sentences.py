"""Sentences of a case, and the facts that they mean: ``2026-01-03 10:00 hospital stops A``.

A sentence is a time, a source, a verb, what it is about, and clauses after commas. Products are those of the product
table, by their name there. ``it`` is the record that was spoken of last.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

import msgspec

from contracts.facts.administration import Administration
from contracts.facts.base import RequestContent, TreatmentContent
from contracts.facts.correction import Retraction
from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DosePatientStatus, DoseSupply
from contracts.facts.list_statement import ListRow, ListStatement
from contracts.facts.person import Block
from contracts.facts.prescribing import Order, Prescription
from contracts.facts.reported_use import ReportedUse
from contracts.systems import HSA_ID, NLL_DISPENSE, NLL_PRESCRIPTION
from contracts.values import Dosage, Identifier, Medication, Period, Practitioner, Quantity, Reason
from mappings.codes.products import ProductRow
from tests.streams.reconcile.clauses import Clauses, moment, read, split
from tests.streams.reconcile.scribe import BY_NAME, PERSON, SENTENCE, Scribe, Sentence


def _medication(name: str, said: Clauses) -> Medication:
    row = BY_NAME.get(name)
    codes = (Identifier(system="urn:test:code", value=said.words["code"]),) if "code" in said.words else ()
    if "as free text" in said.flags:
        return Medication(kind="free-text", text=name)
    if "in words only" in said.flags:
        return Medication(kind="registered", text=name, local_codes=codes)
    if row is None:
        if not codes and "atc" not in said.words:
            raise ValueError(f"a case speaks of {name!r}, which is in no table: say a code, an atc, or as free text")
        return Medication(kind="registered", text=name, local_codes=codes, atc=said.words.get("atc"))
    return Medication(
        kind="registered",
        text=row.name,
        npl_id=None if "without product code" in said.flags else row.npl_id,
        local_codes=codes,
        atc=row.atc,
        ingredients=row.ingredients,
        form=row.form,
    )


def _product(sentence: Sentence) -> tuple[Medication, str | None]:
    row: ProductRow | None = BY_NAME.get(sentence.about)
    route = sentence.said.words.get("route") or (row.route if row else None)
    return _medication(sentence.about, sentence.said), route


def _who(said: Clauses) -> Practitioner | None:
    unit, prescriber = said.words.get("unit"), said.words.get("prescriber")
    if unit is None and prescriber is None:
        return None
    return Practitioner(
        identifiers=(Identifier(system=HSA_ID, value=prescriber),) if prescriber else (),
        care_unit=Identifier(system=HSA_ID, value=unit) if unit else None,
    )


def _request(scribe: Scribe, sentence: Sentence) -> None:
    said = sentence.said
    medication, route = _product(sentence)
    nll = said.words.get("nll")
    kind = Prescription if sentence.verb == "prescribes" else Order
    content = kind(
        person=PERSON,
        medication=medication,
        route=route,
        identifiers=(Identifier(system=NLL_PRESCRIPTION, value=nll),) if nll else (),
        references=scribe.references(sentence),
        status="active",
        setting="inpatient" if sentence.who == "ward" else "outpatient",
        period=Period(start=(said.start or sentence.when) if said.has_start else None, end=said.end),
        pauses=said.pauses,
        prescriber=_who(said),
        purpose=said.words.get("purpose"),
        dosage=said.dosage,
    )
    if isinstance(content, Prescription) and "dispenses" in said.words:
        content = msgspec.structs.replace(content, dispenses_allowed=int(said.words["dispenses"]))
    scribe.say(sentence, content)


def _new_version(**changed: object) -> Callable[[Scribe, Sentence], None]:
    def write(scribe: Scribe, sentence: Sentence) -> None:
        name, before = scribe.named(sentence)
        scribe.say(sentence, msgspec.structs.replace(before, **changed), name)

    return write


def _stop(scribe: Scribe, sentence: Sentence) -> None:
    name, before = scribe.named(sentence)
    assert isinstance(before, RequestContent)
    period = Period(start=before.period.start, end=sentence.said.end or sentence.when)
    why = sentence.said.words.get("because")
    stopped = msgspec.structs.replace(
        before, status="stopped", period=period, end_reason=Reason(text=why) if why else None
    )
    scribe.say(sentence, stopped, name)


def _resume(scribe: Scribe, sentence: Sentence) -> None:
    name, before = scribe.named(sentence)
    assert isinstance(before, RequestContent)
    end = None if before.status == "stopped" else before.period.end
    period = Period(start=before.period.start, end=end)
    scribe.say(sentence, msgspec.structs.replace(before, status="active", period=period), name)


def _set_end(scribe: Scribe, sentence: Sentence) -> None:
    name, before = scribe.named(sentence)
    assert isinstance(before, RequestContent | ListRow)
    period = Period(start=before.period.start, end=sentence.said.end)
    scribe.say(sentence, msgspec.structs.replace(before, period=period), name)


def _change(scribe: Scribe, sentence: Sentence) -> None:
    name, _, product = sentence.about.partition(" to ")
    before = scribe.newest[name].content
    assert isinstance(before, TreatmentContent)
    said = sentence.said
    changed: dict[str, object] = {}
    if said.dosage != Dosage():
        changed["dosage"] = said.dosage
    if product:
        changed["medication"] = _medication(product, said)
        changed["route"] = BY_NAME[product].route
    if _who(said):
        changed["prescriber"] = _who(said)
    if said.pauses:
        changed["pauses"] = said.pauses
    scribe.say(sentence, msgspec.structs.replace(before, **changed), name, at=said.start)


def _gives(scribe: Scribe, sentence: Sentence) -> None:
    medication, route = _product(sentence)
    said, not_done = sentence.said, sentence.verb != "gives"
    content = Administration(
        person=PERSON,
        medication=medication,
        route=route,
        references=scribe.references(sentence),
        status="not-done" if not_done else "completed",
        outcome="refused" if not_done else "given",
        setting="inpatient" if sentence.who == "ward" else "municipal",
        dose=Quantity(value=Decimal(1), unit=said.dose_unit),
        directive=said.words.get("directive"),
    )
    scribe.say(sentence, content)


def _dispenses(scribe: Scribe, sentence: Sentence) -> None:
    medication, route = _product(sentence)
    nll = sentence.said.words.get("nll")
    content = Dispense(
        person=PERSON,
        medication=medication,
        route=route,
        identifiers=(Identifier(system=NLL_DISPENSE, value=nll),) if nll else (),
        references=scribe.references(sentence),
        status="completed",
        was_substituted="substituted" in sentence.said.flags or None,
    )
    scribe.say(sentence, content)


def _packs(scribe: Scribe, sentence: Sentence) -> None:
    medication, route = _product(sentence)
    said = sentence.said
    content = DoseSupply(
        person=PERSON,
        medication=medication,
        route=route,
        references=scribe.references(sentence),
        roll=Identifier(system="dose-pharmacy", value=said.name or "roll"),
        status="produced",
        period=Period(start=said.start, end=said.end),
        dosage=said.dosage,
    )
    scribe.say(sentence, content)


def _dose_status(scribe: Scribe, sentence: Sentence) -> None:
    status: Literal["active", "dormant"] = "dormant" if sentence.verb == "rests the patient" else "active"
    scribe.say(sentence, DosePatientStatus(person=PERSON, status=status, period=Period(start=sentence.when)), "dose")


def _writes_list(scribe: Scribe, sentence: Sentence) -> None:
    complete = "complete" in sentence.said.flags
    scribe.say(sentence, ListStatement(person=PERSON, kind="review", complete=complete, rows=0))


def _row(scribe: Scribe, sentence: Sentence) -> None:
    medication, route = _product(sentence)
    said = sentence.said
    content = ListRow(
        person=PERSON,
        medication=medication,
        route=route,
        references=scribe.references(sentence),
        row=len(scribe.facts),
        status="active",
        setting="outpatient",
        period=Period(start=said.start, end=said.end),
        dosage=said.dosage,
    )
    scribe.say(sentence, content)


def _use(scribe: Scribe, sentence: Sentence) -> None:
    medication, route = _product(sentence)
    said = sentence.said
    content = ReportedUse(
        person=PERSON,
        medication=medication,
        route=route,
        references=scribe.references(sentence),
        status="taking" if sentence.verb == "notes use of" else "not-taking",
        informant="patient",
        period=Period(start=said.start, end=said.end),
        dosage=said.dosage,
    )
    scribe.say(sentence, content)


def _retracts(scribe: Scribe, sentence: Sentence) -> None:
    name = sentence.about
    target = scribe.key(name) if name in scribe.newest else Identifier(system=sentence.source, value=name)
    said = sentence.said
    content = Retraction(person=PERSON, target=target, version=said.version)
    scribe.say(sentence, content, said.name or f"retraction-of-{name}-by-{sentence.source}")


def _blocks(scribe: Scribe, sentence: Sentence) -> None:
    scope, _, name = sentence.about.partition(" ")
    target = {
        "record": lambda: scribe.key(name),
        "source": lambda: Identifier(system="source", value=name),
        "unit": lambda: Identifier(system=HSA_ID, value=name),
    }[scope]()
    content = Block(
        person=PERSON,
        status="set",
        kind="integrity",
        scope={"unit": "care-unit"}.get(scope, scope),  # type: ignore[arg-type]  # the table above has only these
        target=target,
        period=Period(start=sentence.when, end=sentence.said.end),
    )
    scribe.say(sentence, content, sentence.said.name or "block")


_VERBS: Final[dict[str, Callable[[Scribe, Sentence], None]]] = {
    "prescribes": _request,
    "orders": _request,
    "stops": _stop,
    "stops at an unknown time": _new_version(status="stopped", period=Period()),
    "ends": _set_end,
    "pauses": _new_version(status="on-hold"),
    "resumes": _resume,
    "cancels": _new_version(status="cancelled"),
    "finds nothing left to dispense on": _new_version(status="completed"),
    "changes": _change,
    "gives": _gives,
    "does not give": _gives,
    "dispenses": _dispenses,
    "packs": _packs,
    "rests the patient": _dose_status,
    "takes the patient up again": _dose_status,
    "takes back": _new_version(status="returned"),
    "writes the list": _writes_list,
    "lists": _row,
    "notes use of": _use,
    "notes no use of": _use,
    "admits": Scribe.admits,
    "discharges": Scribe.discharges,
    "retracts": _retracts,
    "blocks": _blocks,
    "lifts": _new_version(status="lifted"),
    "decides": Scribe.decides,
}


def write(scribe: Scribe, text: str) -> None:
    """Write the fact of one sentence. Raises ``ValueError`` for one that is not understood."""
    match = SENTENCE.fullmatch(text)
    if match is None:
        raise ValueError(f"a case begins with a time and a source, not {text!r}")
    head, *clauses = split(match[3])
    for verb in sorted(_VERBS, key=len, reverse=True):
        if head == verb or head.startswith(verb + " "):
            about = head[len(verb) + 1 :]
            row = BY_NAME.get(about)
            said = read(clauses, row.dose_unit if row else "{tablet}")
            _VERBS[verb](scribe, Sentence(moment(match[1]), match[2], verb, about, said))
            return
    raise ValueError(f"a case says {head!r}, which means nothing here")
