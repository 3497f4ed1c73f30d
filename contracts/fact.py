"""The fact: one canonical, immutable event: who says what about which patient."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid5

import msgspec

from contracts.facts.administration import Administration
from contracts.facts.base import Content
from contracts.facts.correction import Decision, Retraction
from contracts.facts.dispense import Dispense
from contracts.facts.dose_dispensing import DoseBasis, DoseConsent, DosePackageOrder, DosePatientStatus, DoseSupply
from contracts.facts.list_statement import ListRow, ListStatement
from contracts.facts.person import Block, Encounter, IdentityLink
from contracts.facts.prescribing import Order, Prescription
from contracts.facts.reported_use import ReportedUse

NAMESPACE: Final = UUID("6f0b6a52-7d55-5b7e-9d0c-1a4f3f1f6b11")
"""Namespace of every id that this project derives."""

FACT_TYPES: Final[Mapping[str, type[Content]]] = MappingProxyType(
    {
        "medlist.order.v1": Order,
        "medlist.prescription.v1": Prescription,
        "medlist.administration.v1": Administration,
        "medlist.dose-supply.v1": DoseSupply,
        "medlist.dose-patient-status.v1": DosePatientStatus,
        "medlist.dose-consent.v1": DoseConsent,
        "medlist.dose-basis.v1": DoseBasis,
        "medlist.dose-package-order.v1": DosePackageOrder,
        "medlist.dispense.v1": Dispense,
        "medlist.reported-use.v1": ReportedUse,
        "medlist.list-statement.v1": ListStatement,
        "medlist.list-row.v1": ListRow,
        "medlist.identity-link.v1": IdentityLink,
        "medlist.encounter.v1": Encounter,
        "medlist.block.v1": Block,
        "medlist.retraction.v1": Retraction,
        "medlist.decision.v1": Decision,
    }
)
"""CloudEvents ``type`` -> content type."""

TYPE_OF: Final[Mapping[type[Content], str]] = MappingProxyType({cls: name for name, cls in FACT_TYPES.items()})


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who (``source``) says what (``content``) about which ``patient`` (a pseudonym).

    ``occurred_at``: from when it is true (for a new version of a record: from when the new version applies).
    ``recorded_at``: when the source recorded it. ``received_at``: when it was received here, the knowledge axis.
    ``version``: the source's own, rising, number for this state of the record, where it has one. All times are UTC.
    ``forwarded_to``: the patient whose list the fact also concerns, because a link says that both are one person; set on
    the copy that is brought there, and no part of the fact's identity.
    """

    id: str
    source: str
    source_id: str
    patient: str
    received_at: datetime
    content: Content
    version: int | None = None
    occurred_at: datetime | None = None
    recorded_at: datetime | None = None
    forwarded_to: str | None = None

    @property
    def type(self) -> str:
        """The CloudEvents ``type``."""
        return TYPE_OF[type(self.content)]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose record a fact is a version of, and when: everything of a fact but its content and receipt."""

    source: str
    source_id: str
    patient: str
    version: int | None = None
    occurred_at: datetime | None = None
    recorded_at: datetime | None = None


def make_fact(origin: Origin, content: Content, received_at: datetime) -> Fact:
    """Return the fact with its derived id: equal statements get equal ids, whenever and however often they arrive.

    The id covers everything but ``received_at``. Raises ``ValueError`` for a time without zone: times are read at the
    edge, where the source's zone is known.
    """
    times = {"occurred_at": origin.occurred_at, "recorded_at": origin.recorded_at, "received_at": received_at}
    if naive := sorted(name for name, value in times.items() if value is not None and value.tzinfo is None):
        message = f"times without zone: {', '.join(naive)}; give them a zone where the source is read"
        raise ValueError(message)
    origin = msgspec.structs.replace(origin, occurred_at=_utc(origin.occurred_at), recorded_at=_utc(origin.recorded_at))
    seed = msgspec.json.encode((TYPE_OF[type(content)], origin, content), order="deterministic")
    return Fact(
        id=str(uuid5(NAMESPACE, hashlib.sha256(seed).hexdigest())),
        source=origin.source,
        source_id=origin.source_id,
        version=origin.version,
        patient=origin.patient,
        occurred_at=origin.occurred_at,
        recorded_at=origin.recorded_at,
        received_at=received_at.astimezone(UTC),
        content=content,
    )


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)
