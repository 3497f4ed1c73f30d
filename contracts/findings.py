"""The finding catalogue: code, severity, whether a person must settle it, texts. Codes are never reused."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contracts.medication_list import Severity
from contracts.values import Value


class FindingKind(Value, frozen=True, kw_only=True):
    """One kind of finding.

    ``conflict``: a person must settle it; until then it stands. ``withholds``: it puts in doubt what is to be prescribed,
    so nothing of its lines is published meanwhile.
    """

    code: str
    severity: Severity
    conflict: bool
    withholds: bool = False
    sv: str
    en: str


_KINDS = (
    FindingKind(
        code="duplicate-product",
        severity="warning",
        conflict=True,
        withholds=True,
        sv="Samma läkemedel står på två rader samtidigt.",
        en="The same product stands on two lines at the same time.",
    ),
    FindingKind(
        code="duplicate-substance",
        severity="warning",
        conflict=True,
        withholds=True,
        sv="Samma substans står på två rader samtidigt.",
        en="The same substance stands on two lines at the same time.",
    ),
    FindingKind(
        code="duplicate-therapy",
        severity="info",
        conflict=False,
        sv="Två läkemedel ur samma terapeutiska grupp samtidigt.",
        en="Two drugs of the same therapeutic group at the same time.",
    ),
    FindingKind(
        code="dose-differs",
        severity="high",
        conflict=True,
        withholds=True,
        sv="Dosen skiljer sig mellan källor eller mellan ordination, förskrivning och det som delats.",
        en="The dose differs between sources, or between what is intended, prescribed and supplied.",
    ),
    FindingKind(
        code="period-differs",
        severity="warning",
        conflict=False,
        sv="Källorna anger olika behandlingstid.",
        en="The sources state different periods of treatment.",
    ),
    FindingKind(
        code="status-differs",
        severity="high",
        conflict=True,
        withholds=True,
        sv="Behandlingen är avslutad i en källa men pågår i en annan.",
        en="The treatment has ended in one source and goes on in another.",
    ),
    FindingKind(
        code="stale-pouch",
        severity="high",
        conflict=True,
        sv="Dospåsarna innehåller ett läkemedel som är utsatt eller ändrat.",
        en="The dose pouches hold a drug that was stopped or changed.",
    ),
    FindingKind(
        code="given-not-ordered",
        severity="high",
        conflict=True,
        sv="Läkemedel har getts utan att någon ordination finns.",
        en="A drug was given without any order.",
    ),
    FindingKind(
        code="given-differs",
        severity="high",
        conflict=True,
        sv="Den senast givna dosen är en annan än den ordinerade.",
        en="The last dose given is another than the one ordered.",
    ),
    FindingKind(
        code="given-after-stop",
        severity="high",
        conflict=True,
        sv="Läkemedel har getts efter att behandlingen avslutats.",
        en="A drug was given after the treatment had ended.",
    ),
    FindingKind(
        code="ordered-not-given",
        severity="warning",
        conflict=False,
        sv="Läkemedlet är ordinerat och brukar signeras, men ingen dos är signerad på länge.",
        en="The drug is ordered and its doses are usually signed, but none has been signed for a while.",
    ),
    FindingKind(
        code="dispensed-after-stop",
        severity="warning",
        conflict=False,
        sv="Läkemedel har lämnats ut efter att behandlingen avslutats.",
        en="A drug was dispensed after the treatment had ended.",
    ),
    FindingKind(
        code="units-not-comparable",
        severity="info",
        conflict=False,
        sv="Doserna är angivna i enheter som inte kan jämföras.",
        en="The doses are stated in units that cannot be compared.",
    ),
    FindingKind(
        code="dosage-contradicts-text",
        severity="high",
        conflict=True,
        withholds=True,
        sv="Den strukturerade doseringen stämmer inte med doseringstexten.",
        en="The structured dosage contradicts its text.",
    ),
    FindingKind(
        code="identity-in-doubt",
        severity="high",
        conflict=True,
        withholds=True,
        sv="Personidentiteten är ändrad eller sammanslagen och behöver bekräftas.",
        en="The person's identity was changed or merged and needs confirming.",
    ),
    FindingKind(
        code="blocked-information",
        severity="info",
        conflict=False,
        sv="Det finns spärrad information som inte visas.",
        en="There is blocked information that is not shown.",
    ),
    FindingKind(
        code="source-silent",
        severity="warning",
        conflict=False,
        sv="En källa som brukar rapportera har varit tyst.",
        en="A source that usually reports has been silent.",
    ),
    FindingKind(
        code="ambiguous-match",
        severity="warning",
        conflict=True,
        withholds=True,
        sv="Det går inte att avgöra vilken rad uppgifterna hör till.",
        en="It cannot be told which line the entries belong to.",
    ),
    FindingKind(
        code="reference-contradicts-substance",
        severity="high",
        conflict=True,
        withholds=True,
        sv="En hänvisning pekar på en ordination av ett annat läkemedel.",
        en="A reference points to an order of another drug.",
    ),
    FindingKind(
        code="reference-to-several",
        severity="warning",
        conflict=True,
        withholds=True,
        sv="En uppgift hänvisar till flera behandlingar.",
        en="An entry refers to several treatments.",
    ),
    FindingKind(
        code="versions-disputed",
        severity="warning",
        conflict=False,
        sv="En källa har skickat samma version med olika innehåll.",
        en="A source sent the same version with different content.",
    ),
    FindingKind(
        code="foreign-retraction",
        severity="warning",
        conflict=False,
        sv="En källa försökte dra tillbaka en annan källas uppgift; det gjordes inte.",
        en="A source tried to retract another source's record; it was not done.",
    ),
    FindingKind(
        code="field-undecided",
        severity="high",
        conflict=True,
        withholds=True,
        sv="Källorna är oense och reglerna lämnar avgörandet till en person.",
        en="The sources disagree and the rules leave it to a person.",
    ),
    FindingKind(
        code="unconfirmed",
        severity="info",
        conflict=False,
        sv="Behandlingen saknar slutdatum och ingenting har hämtats, getts eller förnyats på länge.",
        en="The treatment has no end date, and nothing was dispensed, given or renewed for a long time.",
    ),
    FindingKind(
        code="not-taking",
        severity="warning",
        conflict=True,
        sv="Patienten uppger att läkemedlet inte tas.",
        en="The patient reports not taking the drug.",
    ),
    FindingKind(
        code="off-the-list",
        severity="warning",
        conflict=False,
        sv="En fullständig lista som någon sammanställt saknar denna pågående behandling.",
        en="A complete list that somebody put together leaves out this ongoing treatment.",
    ),
    FindingKind(
        code="list-too-large",
        severity="high",
        conflict=True,
        withholds=True,
        sv="Listan är för stor för att visas; något källsystem skickar orimligt många poster.",
        en="The list is too large to be shown; a source sends an unreasonable number of records.",
    ),
    FindingKind(
        code="decision-reopened",
        severity="warning",
        conflict=True,
        withholds=True,
        sv="Underlaget för ett tidigare ställningstagande har ändrats.",
        en="The facts under an earlier decision have changed.",
    ),
)

FINDINGS: Final[Mapping[str, FindingKind]] = MappingProxyType({kind.code: kind for kind in _KINDS})
"""All finding kinds by code."""
