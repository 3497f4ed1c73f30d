"""What ``medlist publish`` prints: plans and standings, as tables in Swedish or English, and as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.medication_list import MedicationList
from contracts.publication import HELD_REASONS, HELD_REASONS_SV, Publication
from mappings.fhir.elements import child, objects, text_at
from mappings.fhir.exact_json import JsonObject
from streams.command.tables import drug_name, moment
from streams.publish.guarding import CHANGED_THERE
from streams.publish.operations import Create, Lock, kind_of
from streams.publish.preview import Planned, Preview
from streams.reconcile.explain_texts import Language

_REASONS: Final[Mapping[str, Mapping[str, str]]] = {"sv": HELD_REASONS_SV, "en": HELD_REASONS}
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "sv": {
        "plan": "Skulle skickas till NLL",
        "nothing": "Ingenting skulle skickas: NLL håller det som listan ber om.",
        "plan-heads": "Åtgärd|Recept|Läkemedel|Dosering|Varför",
        "held": "Skickas inte",
        "problems": "Uttrycks inte i NLL",
        "verified": "NLL:s besked om alltihop",
        "accepted": "det skulle tas emot",
        "unread": "NLL kunde inte läsas, så ingenting är känt om vad som skulle skickas",
        "status-heads": "Status|Patient|Sedan|Försök|Orsaker",
        "waiting": "patient(er) har en lista som publiceringen inte har tagit, sedan",
        "settled": "Inget väntar, är parkerat eller misslyckas.",
        "published": "publicerade",
        "pending": "väntar",
        "parked": "parkerad",
        "failing": "misslyckas",
        "held-count": "recept hålls tillbaka",
        "create": "nytt recept",
        "update": "ändra",
        "replace": "ersätt",
        "end": "avsluta",
        "cancel": "makulera",
        "lock": "spärra",
        "unlock": "häv spärr",
        "not-there": "det finns inte i NLL",
        "takes-over": "det säger sig ersätta ett annat",
        "differs": "det skiljer sig i NLL",
        "stopped": "förskrivaren har satt ut det",
        "run-out": "dess slutdatum har passerat",
        "never-valid": "det var aldrig giltigt",
        "withdrawn": "källan har tagit tillbaka eller avslutat det",
        "blocked": "en spärr omfattar det",
        "lifted": "spärren är hävd",
    },
    "en": {
        "plan": "Would be sent to NLL",
        "nothing": "Nothing would be sent: NLL holds what the list asks for.",
        "plan-heads": "Write|Prescription|Drug|Dosage|Why",
        "held": "Not sent",
        "problems": "Has no form at NLL",
        "verified": "What NLL says of it as a whole",
        "accepted": "it would be taken",
        "unread": "NLL could not be read, so nothing is known of what would be sent",
        "status-heads": "State|Patient|Since|Attempts|Reasons",
        "waiting": "patient(s) have a list that the publisher has not taken, since",
        "settled": "Nothing is pending, parked or failing.",
        "published": "published",
        "pending": "pending",
        "parked": "parked",
        "failing": "failing",
        "held-count": "prescriptions held back",
        "create": "new prescription",
        "update": "change",
        "replace": "replace",
        "end": "end",
        "cancel": "cancel",
        "lock": "lock",
        "unlock": "lift lock",
        "not-there": "it is not at NLL",
        "takes-over": "it says that it replaces another",
        "differs": "it differs at NLL",
        "stopped": "its prescriber stopped it",
        "run-out": "its end date has passed",
        "never-valid": "it was never valid",
        "withdrawn": "its source took it back or ended it",
        "blocked": "a block covers it",
        "lifted": "the block was lifted",
    },
}
_NOTHING: Final = "-"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many patients have a list that the publisher has told nothing of, and since when the first of them."""

    patients: int
    since: datetime | None


def print_plan(console: Console, found: Preview, medication_list: MedicationList, lang: Language) -> None:
    """Print what would be sent and why, what is held back and why."""
    words = _WORDS[lang]
    console.print(f"{words['plan']}: {medication_list.patient}", style="bold")
    if found.unread is not None:
        console.print(f"{words['unread']}: [{found.unread}]", style="red", markup=False)
    elif found.planned:
        table = _table(words["plan-heads"])
        for one in found.planned:
            table.add_row(*(Text(cell) for cell in _planned_cells(one, words)))
        console.print(table)
    else:
        console.print(words["nothing"])
    if found.refused is not None:
        told = "; ".join(f"{one.code} {one.place}".strip() for one in found.refused)
        console.print(f"{words['verified']}: {told or words['accepted']}", markup=False)
    names = _names(medication_list)
    for held in found.held:
        reason = f"{_REASONS[lang][held.reason]} [{held.reason}]"
        console.print(f"{words['held']}: {names.get(held.record, held.record)}: {reason}", markup=False)
    for problem in found.problems:
        name = names.get(problem.record or "", problem.record)
        console.print(f"{words['problems']}: {name}: {problem.code} {problem.place}", markup=False, style="red")


def plan_object(found: Preview, medication_list: MedicationList) -> dict[str, Any]:
    """Return what ``plan --json`` prints; bodies are left out but for drug and dosage."""
    return {
        "patient": medication_list.patient,
        "unread": found.unread,
        "refused": None if found.refused is None else [{"code": one.code, "place": one.place} for one in found.refused],
        "operations": [
            {
                "kind": kind_of(one.operation),
                "why": one.why,
                "record": one.operation.record,
                "id": _id_of(one),
                "changed": one.changed,
                "replaces": one.replaces,
                "drug": _drug(one.operation.resource),
                "dosage": _dosage(one.operation.resource),
                "because": one.operation.because,
            }
            for one in found.planned
        ],
        "held": [{"record": one.record, "reason": one.reason} for one in found.held],
        "problems": [{"record": one.record, "code": one.code, "place": one.place} for one in found.problems],
    }


def print_status(console: Console, publications: Sequence[Publication], waiting: Waiting, lang: Language) -> None:
    """Print how many patients stand how, and everybody who is not published, longest first."""
    words = _WORDS[lang]
    counts = Counter(one.state for one in publications)
    held = sum(len(one.held) for one in publications)
    told = [f"{counts[state]} {words[state]}" for state in ("published", "pending", "parked", "failing")]
    console.print(", ".join([*told, f"{held} {words['held-count']}"]), style="bold")
    for one in publications:
        for record in _changed_there(one):
            reason = f"{_REASONS[lang][CHANGED_THERE]} [{CHANGED_THERE}]"
            console.print(f"{words['held']}: {one.patient}: {record}: {reason}", markup=False, style="yellow")
    if waiting.patients:
        console.print(f"{waiting.patients} {words['waiting']} {moment(waiting.since)}", markup=False, style="yellow")
    unsettled = [one for one in publications if one.state != "published"]
    if not unsettled and waiting.patients:
        return
    if not unsettled:
        console.print(words["settled"])
        return
    table = _table(words["status-heads"])
    for one in unsettled:
        reasons = "\n".join(f"{problem.code} {problem.place}".strip() for problem in one.problems) or _NOTHING
        cells = (words[one.state], one.patient, moment(one.since), str(one.attempts), reasons)
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)


def status_object(publications: Sequence[Publication], waiting: Waiting) -> dict[str, Any]:
    """Return what ``status --json`` prints."""
    states = Counter(one.state for one in publications)
    reasons = Counter(held.reason for one in publications for held in one.held)
    return {
        "patients": len(publications),
        "states": {state: states[state] for state in ("published", "pending", "parked", "failing")},
        "waiting": {"patients": waiting.patients, "since": waiting.since},
        "held": dict(sorted(reasons.items())),
        "changed_there": [
            {"patient": one.patient, "record": record} for one in publications for record in _changed_there(one)
        ],
        "unsettled": [
            {
                "patient": one.patient,
                "state": one.state,
                "since": one.since,
                "attempts": one.attempts,
                "problems": [{"code": p.code, "place": p.place, "record": p.record} for p in one.problems],
            }
            for one in publications
            if one.state != "published"
        ],
    }


def _changed_there(publication: Publication) -> list[str]:
    """The records that somebody else has changed at NLL: what a person should look at though nothing is parked."""
    return [one.record for one in publication.held if one.reason == CHANGED_THERE]


def _planned_cells(one: Planned, words: Mapping[str, str]) -> tuple[str, str, str, str, str]:
    why = words[one.why]
    if one.changed:
        why += f" ({', '.join(one.changed)})"
    if one.replaces is not None:
        why += f" ({one.replaces})"
    resource = one.operation.resource
    return words[kind_of(one.operation)], _id_of(one) or _NOTHING, _drug(resource), _dosage(resource), why


def _id_of(one: Planned) -> str | None:
    match one.operation:
        case Create():
            return None
        case Lock(prescription=name):
            return name
        case operation:
            return operation.id


def _drug(resource: JsonObject) -> str:
    return text_at(child(resource, "medicationCodeableConcept"), "text") or _NOTHING


def _dosage(resource: JsonObject) -> str:
    told = [text_at(one, "patientInstruction") for one in objects(resource.get("dosageInstruction"))]
    return "\n".join(text for text in told if text is not None) or _NOTHING


def _names(medication_list: MedicationList) -> dict[str, str]:
    return {
        one.record: f"{drug_name(item)} ({one.source})" for item in medication_list.items for one in item.prescriptions
    }


def _table(heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in heads.split("|"):
        table.add_column(head, overflow="fold")
    return table
