"""The list: what is published per patient, and how each line explains itself."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from contracts.facts.prescribing import Prescription
from contracts.values import Identifier, Period, Practitioner, Value

ItemState = Literal["planned", "active", "paused", "ended", "cancelled", "dormant", "unknown"]
LayerName = Literal["intended", "prescribed", "dispensed", "given", "reported"]
Severity = Literal["info", "warning", "high"]


class DailyDose(Value, frozen=True, kw_only=True):
    """The normalised daily dose, or why there is none.

    ``computed``: ``value`` ``unit`` per day (of the substance where the strength is known, else of dose units).
    ``as-needed``: ``value`` is the most per day, if stated. ``varies``: cyclic or stepwise and not one figure at this
    time. ``not-comparable``: stated, but no common unit. ``not-stated``: no dosage that can be read.
    """

    status: Literal["computed", "as-needed", "varies", "not-comparable", "not-stated"]
    value: Decimal | None = None
    unit: str | None = None


class Because(Value, frozen=True, kw_only=True):
    """Why a value stands: the facts it comes from and the code of the rule that chose it."""

    rule: str
    facts: tuple[str, ...] = ()


class Layer(Value, frozen=True, kw_only=True):
    """One layer of a treatment as it stands at the list's time, side by side with the others."""

    state: ItemState | None = None
    product: str | None = None
    npl_id: str | None = None
    strength: str | None = None
    form: str | None = None
    dosage_text: str | None = None
    daily_dose: DailyDose | None = None
    period: Period | None = None
    source: str | None = None
    last_at: datetime | None = None
    last_outcome: str | None = None
    count: int | None = None
    not_given: int | None = None
    next_roll_ends: datetime | None = None
    remaining_dispenses: int | None = None
    facts: tuple[str, ...] = ()


class StandingPrescription(Value, frozen=True, kw_only=True):
    """A prescription of a line as its source last stated it: what a publisher needs to register it elsewhere.

    ``record`` is its derived id; ``state`` is the record's own state at the list's time.
    """

    record: str
    source: str
    source_id: str
    fact: str
    state: ItemState
    content: Prescription
    occurred_at: datetime | None = None
    recorded_at: datetime | None = None


class Withdrawn(Value, frozen=True, kw_only=True):
    """A prescription that was on the list and may be known elsewhere, and why it no longer is.

    ``retracted``: its source took it back. ``blocked``: a block covers it, of kind ``block``. The record's ids stay known
    so that what was published can be found. ``over``: its source has ended it, or declared it never valid; told of a
    blocked one too, since it must not be dispensed any more.
    """

    record: str
    source: str
    source_id: str
    reason: Literal["retracted", "blocked"]
    because: tuple[str, ...]
    identifiers: tuple[Identifier, ...] = ()
    block: Literal["integrity", "secrecy"] | None = None
    over: Literal["ended", "cancelled"] | None = None


class FactSummary(Value, frozen=True, kw_only=True):
    """Facts that a published list counts instead of naming: administrations, dispenses, roll rows.

    ``digest`` is the bitwise exclusive or of the facts' ids read as 128-bit numbers, in hexadecimal: it does not depend
    on order, and whoever holds the facts can check it.
    """

    count: int
    digest: str


class ListItem(Value, frozen=True, kw_only=True):
    """One line of the list: a strand of a treatment.

    ``facts`` are the live facts that belong to it. A published list names those of orders, prescriptions, rows and
    reports, and the leaves that it shows, and counts all leaves in ``leaves``; an offline list names every one.
    ``records`` are the ids of its prescribing records: any of them may have been its treatment id before, and resolves
    to the present one. ``related`` are strands that are linked without being the same (another form or route).
    ``because`` has an entry for each of ``state``, ``product`` (with its codes, substances, form, route, strength),
    ``dosage``, ``start``, ``end``, ``prescriber``, ``reason`` and ``end_reason`` that has a value or is undecided, and for
    ``treatment`` where records without a common id were joined.
    ``reason`` is why it is taken, ``end_reason`` why it was stopped or cancelled (utsättningsorsak).
    ``prescriber`` is who decided the dose that is shown (where no dose is shown: the product).
    ``undecided`` names the fields on which the sources disagree and that therefore have no value.
    """

    treatment: str
    strand: str
    state: ItemState
    layers: Mapping[LayerName, Layer]
    because: Mapping[str, Because]
    facts: tuple[str, ...]
    product: str | None = None
    npl_id: str | None = None
    atc: str | None = None
    substances: tuple[str, ...] = ()
    form: str | None = None
    route: str | None = None
    strength: str | None = None
    dosage_text: str | None = None
    daily_dose: DailyDose | None = None
    start: datetime | None = None
    end: datetime | None = None
    reason: str | None = None
    end_reason: str | None = None
    prescriber: Practitioner | None = None
    records: tuple[str, ...] = ()
    prescriptions: tuple[StandingPrescription, ...] = ()
    related: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    leaves: FactSummary | None = None


class Finding(Value, frozen=True, kw_only=True):
    """Something that the reconciler noticed. ``items`` are strands. ``code`` is in ``contracts.findings``.

    ``key`` names this finding stably, over replays and while its circumstances stay: a decision refers to it.
    """

    code: str
    severity: Severity
    conflict: bool
    items: tuple[str, ...]
    facts: tuple[str, ...]
    key: str
    detail: Mapping[str, str] = {}


class Unattached(Value, frozen=True, kw_only=True):
    """A live fact that belongs to no line, and why."""

    fact: str
    reason: str


class MedicationList(Value, frozen=True, kw_only=True):
    """The list of one patient (läkemedelslista), canonical: sorted, deterministic, free of clocks.

    ``rules`` is the identity of the policy that made it. ``person`` is the number that
    the patient is known by (payload only). ``next_change_at``: when it changes by itself.
    """

    patient: str
    rules: str
    person: Identifier | None = None
    items: tuple[ListItem, ...] = ()
    findings: tuple[Finding, ...] = ()
    unattached: tuple[Unattached, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    next_change_at: datetime | None = None


class Change(Value, frozen=True, kw_only=True):
    """One change between two successive lists of a patient, for ``medlist.change.v1``.

    ``kind``: appeared, disappeared, state, dose, instructions (the words of a dosage whose daily dose is the same), brand,
    strength, form, route, therapy, prescriber, start, end, superseded, finding, finding-gone. ``facts`` are the facts that
    brought it.
    """

    patient: str
    kind: str
    treatment: str | None
    before: str | None
    after: str | None
    facts: tuple[str, ...]
    cause: str


encoder = msgspec.json.Encoder(order="deterministic")


def encode_list(medication_list: MedicationList) -> bytes:
    """Return the canonical bytes: equal lists have equal bytes."""
    return encoder.encode(medication_list)


def decode_list(data: bytes) -> MedicationList:
    """Read canonical bytes back. Raises ``msgspec.DecodeError`` for anything else."""
    return msgspec.json.decode(data, type=MedicationList)
