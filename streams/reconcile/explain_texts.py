"""The words of explanations, as data: code -> text, Swedish for care staff and English."""

from collections.abc import Mapping
from typing import Final, Literal

from contracts.medication_list import DailyDose

Language = Literal["sv", "en"]
Texts = Mapping[str, tuple[str, str]]
"""Code -> Swedish, English."""

NOTHING: Final = "-"
KINDS: Final[Texts] = {
    "inpatient_order": ("ordination på avdelning", "in-patient order"),
    "outpatient_order": ("ordination i öppen vård", "out-patient order"),
    "prescription": ("förskrivning (recept)", "prescription"),
    "list_row": ("rad i en läkemedelslista", "row of a medication list"),
    "reported_use": ("uppgift om användning", "reported use"),
    "dose_supply": ("dosrulle", "pouch roll"),
    "dispense": ("uttag på apotek", "dispense"),
    "administration": ("given dos (signering)", "administration"),
}
FIELDS: Final[Texts] = {
    "state": ("Status", "State"),
    "product": ("Läkemedel", "Product"),
    "dosage": ("Dos", "Dose"),
    "start": ("Startdatum", "Start"),
    "end": ("Slutdatum", "End"),
    "prescriber": ("Förskrivare", "Prescriber"),
    "reason": ("Orsak", "Reason"),
    "end_reason": ("Utsättningsorsak", "Reason of ending"),
}
STATES: Final[Texts] = {
    "planned": ("planerad", "planned"),
    "active": ("pågående", "active"),
    "paused": ("pausad", "paused"),
    "ended": ("avslutad", "ended"),
    "cancelled": ("makulerad", "cancelled"),
    "dormant": ("vilande", "dormant"),
    "unknown": ("okänd", "unknown"),
}
DOSES: Final[Texts] = {
    "as-needed": ("vid behov", "as needed"),
    "varies": ("varierar", "varies"),
    "not-comparable": ("ej jämförbar", "not comparable"),
    "not-stated": ("ej angiven", "not stated"),
}
STATE_RULES: Final[Texts] = {
    "IN_FORCE": ("den har börjat och är varken stoppad eller slut", "it has begun, and is neither stopped nor over"),
    "STARTS_LATER": ("den börjar först senare", "it starts later"),
    "START_UNKNOWN": (
        "starten är okänd, och före den första uppgiften är inget känt",
        "its start is unknown, and nothing is known before the first entry",
    ),
    "STATUS_UNKNOWN": ("källan säger att statusen är okänd", "its source says that the status is unknown"),
    "PAUSED_BY_PERIOD": ("en angiven paus pågår", "a stated pause goes on"),
    "ON_HOLD": ("källan har pausat den", "its source has put it on hold"),
    "END_REACHED": ("slutdatumet är passerat", "its end date has passed"),
    "STOPPED": ("den är utsatt", "it was stopped"),
    "STOPPED_AT_UNKNOWN_TIME": ("den är utsatt, okänt när", "it was stopped, nobody says when"),
    "CALLED_OFF": ("den avslutades innan den började", "it was ended before it began"),
    "CANCELLED_BY_SOURCE": ("källan har makulerat den", "its source has cancelled it"),
    "CANCELLED_AFTER_USE": (
        "källan har makulerat den, men den hade redan använts: den är avslutad",
        "its source has cancelled it, but it had been used already: it has ended",
    ),
    "STAY_ENDED": ("vårdtillfället som den hör till är slut", "the stay that it belongs to is over"),
    "DORMANT_WHILE_ADMITTED": ("patienten är inskriven på sjukhus", "the patient is admitted to hospital"),
    "DECIDED_BY_PERSON": ("en person har avgjort det", "a person has decided it"),
    "NO_ORDER": ("ingen ordination eller förskrivning finns", "there is no order or prescription"),
    "UNDECIDED": ("källorna är oense, och en person måste avgöra", "the sources disagree, and a person must decide"),
}
FIELD_RULES: Final[Texts] = {
    "ONLY_SOURCE": ("det är den enda gällande uppgiften", "it is the only entry in force"),
    "ALL_AGREE": ("alla gällande uppgifter är överens", "all entries in force agree"),
    "PRECEDENCE_TABLE": (
        "den sortens uppgift går före (företrädestabellen)",
        "that kind of entry goes first (precedence)",
    ),
    "LATEST_DECISION": ("det är det senaste beslutet bland likställda", "it is the latest decision among equals"),
    "UNDECIDED": (
        "källorna är oense, och en person måste avgöra: inget värde visas",
        "the sources disagree, and a person must decide: no value is shown",
    ),
    "DECIDED_BY_PERSON": ("en person har valt det", "a person has chosen it"),
    "BEHIND_THE_DECISION": ("den står bakom den uppgift som gäller", "who stands behind the entry that counts"),
    "LATEST_STATED": ("det är den senaste gällande uppgiften om det", "it is the latest entry in force that says so"),
}
JOINS: Final[Texts] = {
    "LEADS": ("den ger raden dess namn", "it names the line"),
    "SAME_ID": ("den bär samma id som {other}", "it bears an id of {other}"),
    "SAME_CHAIN": ("den står i samma receptkedja som {other}", "it is in one prescription chain with {other}"),
    "REFERS": ("den hänvisar till {other}, eller {other} till den", "it refers to {other}, or {other} to it"),
    "DECIDED_BY_PERSON": (
        "en person har avgjort att den är samma behandling som {other}",
        "a person has decided that it is one treatment with {other}",
    ),
    "SAME_PRODUCT_MEETING_PERIODS": (
        "samma läkemedel, och tiderna möts",
        "the same product, and the periods meet",
    ),
    "SAME_SUBSTITUTION_GROUP_MEETING_PERIODS": (
        "utbytbart läkemedel med samma administreringsväg, och tiderna möts",
        "the same substitution group and route, and the periods meet",
    ),
    "SAME_SUBSTANCE_AND_FORM_MEETING_PERIODS": (
        "samma substans och formgrupp, och tiderna möts",
        "the same substance and form group, and the periods meet",
    ),
    "STOPPED_AND_STARTED_BY_ONE_SOURCE": (
        "källan avslutade den ena och började den andra samtidigt: en ändring",
        "its source ended the one and began the other at the same time: a change",
    ),
    "REFERENCE": ("den hänvisar till en ordination eller förskrivning på raden", "it refers to an order on the line"),
    "PRODUCT_AND_TIME": (
        "läkemedlet och tiden passar in på den här raden och ingen annan lika bra",
        "product and time fit this line, and no other as well",
    ),
    "UNORDERED": ("ingen ordination förklarar den", "no order explains it"),
    "EVIDENCE": ("läkemedlet och tiderna passar ihop", "product and periods fit"),
}
LOSES: Final[Texts] = {
    "table": ("{winner} går före {kind} för fältet (företrädestabellen)", "{winner} goes before {kind} (precedence)"),
    "earlier": ("ett senare beslut finns", "there is a later decision"),
    "agrees": ("den säger detsamma", "it says the same"),
    "silent": ("den säger inget om dosen", "it says nothing about the dose"),
    "superseded": ("den är ersatt av en nyare", "a newer one has replaced it"),
    "not_in_force": ("den är {state}: {why}", "it is {state}: {why}"),
    "not_asked": (
        "den räknas inte medan en ordination eller förskrivning gäller, eller källan har en som går före",
        "it does not count while an order or prescription is in force, or its source has one that goes first",
    ),
    "by_person": ("en person har valt en annan uppgift", "a person has chosen another entry"),
    "wins": ("gäller", "counts"),
    "undecided": ("får inte ensam avgöra", "must not decide alone"),
}
ABSENT: Final[Texts] = {
    "retracted": ("{source} har tagit tillbaka uppgiften", "{source} has taken it back"),
    "blocked": ("uppgiften är spärrad", "it is blocked"),
    "unknown-yet": ("den togs emot först {time}", "it was received only at {time}"),
    "free-text": (
        "den är skriven i fritext, och fritext förs aldrig automatiskt till en rad",
        "it is free text, and free text is never put on a line automatically",
    ),
    "ambiguous": ("den passar lika bra på flera rader: ingen valdes", "it fits several lines alike: none was chosen"),
    "no-order": ("ingen ordination förklarar den", "no order explains it"),
    "other-kind": (
        "källan har gett en senare uppgift av annat slag samma id",
        "its source has given the same id to a later entry of another kind",
    ),
    "encounter": ("ett vårdtillfälle är ingen egen rad, men påverkar de andra", "a stay is no line; it affects others"),
    "block": ("en spärr är ingen egen rad", "a block is no line"),
    "identity": ("en koppling mellan personnummer är ingen egen rad", "a link between persons is no line"),
    "decision": ("ett ställningstagande är ingen egen rad", "a decision is no line"),
    "retraction": ("en återkallelse är ingen egen rad", "a retraction is no line"),
    "list-statement": ("listan i sig är ingen rad; dess rader är det", "a list is no line; its rows are"),
    "dose-patient-status": ("dospatientens status är ingen egen rad", "a dose patient's status is no line"),
    "dose-consent": ("ett dossamtycke är ingen egen rad", "a consent is no line"),
    "dose-basis": ("ett dosunderlags status är ingen egen rad", "the status of a dose basis is no line"),
}
LEADS_TO: Final[Texts] = {
    "line": ("Id:t är den här radens.", "The id is this line's."),
    "treatment": ("Id:t är den här behandlingens.", "The id is this treatment's."),
    "record": (
        "Id:t hör till en uppgift som nu står på den här raden.",
        "The id is of a record that is now on this line.",
    ),
    "leaf": (
        "Id:t hör till ett uttag eller en given dos som nu står på den här raden.",
        "The id is of a dispense or administration that is now on this line.",
    ),
    "retracted": ("Uppgiften med det id:t är återkallad.", "The record of that id was taken back."),
    "blocked": ("Uppgiften med det id:t är spärrad.", "The record of that id is blocked."),
    "unattached": ("Uppgiften med det id:t står inte på någon rad.", "The record of that id is on no line."),
}
PHRASES: Final[Texts] = {
    "why_here": ("Varför står den här?", "Why is it here?"),
    "why_state": ("Varför är den {state}?", "Why is it {state}?"),
    "why_dose": ("Varför den här dosen?", "Why this dose?"),
    "why_fields": ("Varför de andra uppgifterna?", "Why the other values?"),
    "why_not": ("Varför står de här uppgifterna inte på någon rad?", "Why are these entries on no line?"),
    "noticed": ("Uppmärksammat", "Noticed"),
    "because": ("{what} ({fact}): {why}.", "{what} ({fact}): {why}."),
    "more": ("och {count} liknande: {why}.", "and {count} more of the kind: {why}."),
    "joined": (
        "Uppgifter som inte hänvisar till varandra fördes samman: {why}.",
        "Entries that do not refer to each other were joined: {why}.",
    ),
    "hidden": ("{count} uppgifter är spärrade och visas inte.", "{count} entries are blocked and not shown."),
    "field": ("{field}: {why}.", "{field}: {why}."),
    "no_dose": ("Ingen uppgift om dos finns.", "No dose is stated."),
    "no_lines": ("Inga rader.", "No lines."),
}
ALL: Final[tuple[Texts, ...]] = (
    KINDS, FIELDS, STATES, DOSES, STATE_RULES, FIELD_RULES, JOINS, LOSES, ABSENT, LEADS_TO, PHRASES,
)  # fmt: skip


def say(texts: Texts, code: str, lang: Language, **values: str) -> str:
    """Return the text of a code. Raises ``KeyError`` for a code without one: a mistake in the tables."""
    return texts[code][0 if lang == "sv" else 1].format(**values)


def dose_words(dose: DailyDose | None, lang: Language) -> str:
    """Return a daily dose in words: an amount, with ``max`` where it is the most that may be taken, or why there is none."""
    if dose is None:
        return NOTHING
    unit = "st" if dose.unit == "{unit}" else (dose.unit or "").strip("{}")
    amount = "" if dose.value is None else f"{dose.value:f} {unit}"
    if dose.status == "computed":
        return amount
    word = say(DOSES, dose.status, lang)
    return f"{word}, max {amount}" if amount else word
