"""The publication: per patient, what was last sent toward NLL, or why nothing was. The value of ``medlist.publish.v1``.

It holds ids, codes, times and digests; nothing of a prescription's content, and no person number.
"""

from datetime import datetime
from typing import Literal

import msgspec

from contracts.values import Value

PublicationState = Literal["published", "pending", "parked", "failing"]
"""``published``: what the endpoint holds is what the list asks for. ``pending``: a list waits for its turn.
``parked``: refused for good; nothing is tried until the list changes. ``failing``: being tried again."""

OperationKind = Literal["create", "update", "replace", "end", "cancel", "lock", "unlock"]
LinkKind = Literal["prescription", "lock"]


class Done(Value, frozen=True, order=True, kw_only=True):
    """A write that the endpoint carried out. ``version`` is the version of the resource that it made.

    ``because`` are the facts of a retraction or a block that it follows from.
    """

    kind: OperationKind
    record: str
    id: str | None = None
    version: str | None = None
    request_id: str
    because: tuple[str, ...] = ()


class HeldBack(Value, frozen=True, order=True, kw_only=True):
    """A prescription of the list for which nothing was sent, on purpose. ``reason`` is in ``HELD_REASONS``."""

    record: str
    reason: str


class PublishProblem(Value, frozen=True, order=True, kw_only=True):
    """Why something could not be published: a code (the endpoint's, or ours) and a place, never a value.

    ``record`` is ``None`` when it concerns the whole patient.
    """

    code: str
    place: str = ""
    record: str | None = None


class Link(Value, frozen=True, kw_only=True):
    """A record and the prescription at the endpoint that it is, or the data lock (spärr) in force that hides it.

    ``ours``: created from here, so changed and ended from here; ``version`` is then the one that was last seen.
    """

    record: str
    id: str
    ours: bool
    version: str | None = None
    kind: LinkKind = "prescription"


class Written(Value, frozen=True, kw_only=True):
    """The newest version of a prescription at the endpoint that is our own writing, and the SHA-256 (hex) of its content.

    ``content`` also tells whether it is closed; ``None`` where it is not known.
    """

    id: str
    version: str
    content: str | None = None


class Sending(Value, frozen=True, kw_only=True):
    """A write that may reach the endpoint: told before it is sent, and kept while its outcome is not known.

    ``onto`` is the version that it builds on, ``content`` the digest of what it says as in ``Written``; ``None``: it closes the
    prescription (ended, cancelled, or taken over from).
    """

    id: str
    onto: str
    content: str | None = None


class Publication(Value, frozen=True, kw_only=True):
    """How one patient's list stands toward NLL.

    ``list_hash`` is the SHA-256 (hex) of the list's bytes, ``wanted_hash`` that of what it asks NLL to hold: while that
    is unchanged nothing needs to be sent. ``since`` is when ``state`` began. ``written`` and ``sending`` tell which versions there
    are ours (``contracts/decisions/what-another-changed-there-stands.md``); records of earlier releases have neither.
    """

    patient: str
    state: PublicationState
    list_hash: str
    wanted_hash: str | None = None
    since: datetime
    operations: tuple[Done, ...] = ()
    links: tuple[Link, ...] = ()
    held: tuple[HeldBack, ...] = ()
    problems: tuple[PublishProblem, ...] = ()
    attempts: int = 0
    written: tuple[Written, ...] = ()
    sending: tuple[Sending, ...] = ()


class PublishRequest(Value, frozen=True, kw_only=True):
    """What a person asks of the publisher. The value of ``medlist.publish-request.v1``, keyed by the patient.

    ``unpark``: try the patient's newest list again, whatever became of it. ``asked_by`` is a code of the person (HSA-id).
    """

    patient: str
    kind: Literal["unpark"]
    asked_at: datetime
    asked_by: str | None = None
    motivation: str | None = None


HELD_REASONS = {
    "source-unknown": "No policy names the source of the prescription.",
    "publishes-itself": "The source registers its own prescriptions; it is linked, never written.",
    "inpatient": "An order or prescription of a ward is not NLL's.",
    "undecided": "The sources disagree on a field of the line, and nobody has settled it.",
    "conflict": "A conflict concerns the line, and nobody has settled it.",
    "blocked": "A block covers it. What was registered of it is locked there, for other caregivers not to see.",
    "state-unknown": "The state of the prescription is not known.",
    "patient-in-doubt": "Who the patient is, is not settled.",
    "registered-elsewhere": "Its source says that another system registered it already.",
    "closed-there": "It was ended or cancelled at the endpoint, or nothing is left to dispense.",
    "parked-there": "The endpoint's owner has parked it.",
    "twice-there": "More than one open prescription at the endpoint bears the record's id.",
    "other-drug-there": "The prescription at the endpoint is of another drug.",
    "not-expressible": "It has no truthful form at the endpoint; the problems tell why.",
    "predecessor-not-there": "It says that it replaces a prescription that the endpoint does not show.",
    "predecessor-closed": "It says that it replaces a prescription that was ended or cancelled already.",
    "predecessor-other-drug": "It says that it replaces a prescription that is not known to have the same ATC code.",
    "predecessors-several": "It says that it replaces several open prescriptions; only one can be replaced.",
    "expired": "Its last day of validity has passed; it is not registered anew.",
    "changed-there": "Somebody else changed it at the endpoint after its source decided. That change stands.",
}
"""Why a prescription is held back, by code. Codes are never reused; retired ones stay."""

HELD_REASONS_SV = {
    "source-unknown": "Ingen policy nämner receptets källa.",
    "publishes-itself": "Källan registrerar sina recept själv; det länkas, men skrivs aldrig.",
    "inpatient": "En ordination eller ett recept på en avdelning hör inte hemma i NLL.",
    "undecided": "Källorna är oense om en uppgift på raden, och ingen har avgjort det.",
    "conflict": "En konflikt rör raden, och ingen har avgjort den.",
    "blocked": "En spärr omfattar det. Det som registrerats är spärrat där, så att andra vårdgivare inte ser det.",
    "state-unknown": "Receptets status är inte känd.",
    "patient-in-doubt": "Vem patienten är, är inte avgjort.",
    "registered-elsewhere": "Källan säger att ett annat system redan har registrerat det.",
    "closed-there": "Det är avslutat eller makulerat i NLL, eller slutexpedierat.",
    "parked-there": "E-hälsomyndigheten har parkerat det.",
    "twice-there": "Mer än ett öppet recept i NLL har samma post-id.",
    "other-drug-there": "Receptet i NLL gäller ett annat läkemedel.",
    "not-expressible": "Det har ingen sanningsenlig form i NLL; problemen säger varför.",
    "predecessor-not-there": "Det säger sig ersätta ett recept som NLL inte visar.",
    "predecessor-closed": "Det säger sig ersätta ett recept som redan är avslutat eller makulerat.",
    "predecessor-other-drug": "Det säger sig ersätta ett recept vars ATC-kod inte är känd som densamma.",
    "predecessors-several": "Det säger sig ersätta flera öppna recept; bara ett kan ersättas.",
    "expired": "Sista giltighetsdagen har passerat; det registreras inte på nytt.",
    "changed-there": "Någon annan har ändrat det i NLL efter källans beslut. Den ändringen får stå.",
}
"""The same in Swedish, for care staff."""

_encoder = msgspec.json.Encoder(order="deterministic")


def encode_publication(publication: Publication) -> bytes:
    """Return the canonical bytes."""
    return _encoder.encode(publication)


def encode_request(request: PublishRequest) -> bytes:
    """Return the canonical bytes."""
    return _encoder.encode(request)


def decode_request(data: bytes) -> PublishRequest:
    """Read them back. Raises ``msgspec.DecodeError`` for anything else."""
    return msgspec.json.decode(data, type=PublishRequest)


def decode_publication(data: bytes) -> Publication:
    """Read them back. Raises ``msgspec.DecodeError`` for anything else."""
    return msgspec.json.decode(data, type=Publication)
