"""The precedence table as a page that pharmacists can read and question."""

from collections.abc import Iterator, Mapping
from typing import Final

from streams.reconcile.explain_texts import FIELDS as FIELD_WORDS
from streams.reconcile.explain_texts import KINDS as KIND_WORDS
from streams.reconcile.policy import FIELDS, KINDS, Field, Kind, Rules

_SIGNS: Final[Mapping[str, str]] = {
    "row": "rad / row",
    "column": "kolumn / column",
    "latest": "senast / latest",
    "undecided": "**en person / a person**",
    "impossible": "-",
}
_HEAD: Final = """# Vems uppgift gäller? / Whose word counts?

Sidan är gjord av `streams/reconcile/rules/precedence.csv` (`python -m streams.command.pages`); ändra tabellen, inte sidan.
This page is made from `streams/reconcile/rules/precedence.csv` (`python -m streams.command.pages`); change the table, not
the page. Rules: `{name}`.

Alla uppgifter visas alltid, lager för lager; här avgörs vad som står *på raden*. Bara uppgifter som gäller vid tidpunkten
tävlar: det som är avslutat, makulerat eller ersatt räknas inte, och rader i listor och patientens egna uppgifter räknas
bara där varken ordination eller förskrivning finns. En persons val går före allt, så länge underlaget är oförändrat.

Every entry is always shown, layer by layer; this is about what stands *on the line*. Only entries in force compete: what
has ended, was cancelled or replaced does not count, and rows of lists and reports count only where there is neither order
nor prescription. What a person chose goes before everything, as long as the facts under it are unchanged.
"""
_TAIL: Final = """## Lika tider / Equal times

*Senast* jämför i tur och ordning: när beslutet gäller från (`occurred_at`), när det registrerades (`recorded_at`), och, om
båda är lika, källans namn och uppgiftens id i bokstavsordning (den sista vinner). Det sista är godtyckligt men lika för alla:
ingen ordning som meddelanden kommer i kan ändra listan. En tid som saknas är äldst. Skiljer sig två sådana uppgifter åt
visas det dessutom som en avvikelse.

*Latest* compares, in this order: from when the decision applies (`occurred_at`), when it was recorded (`recorded_at`), and,
where both are equal, the source's name and the record's id in alphabetical order (the last wins). That is arbitrary but the
same for everybody: no order of arrival can change the list. A missing time is the oldest. Where two such entries differ, the
difference is shown as a finding as well.

Versioner av en och samma uppgift / Versions of one record: källans versionsnummer, annars registreringstiden, annars faktats
id. The source's version number, else the time of recording, else the fact's id. Två olika innehåll för samma version visas
som `versions-disputed`. Two contents of one version are shown as `versions-disputed`.
"""


def precedence_page(rules: Rules) -> str:
    """Return the page as Markdown, in Swedish and English."""
    parts = [_HEAD.format(name=rules.name)]
    for field in FIELDS:
        parts += [f"## {FIELD_WORDS[field][0]} / {FIELD_WORDS[field][1]}", "", *_order(field, rules), ""]
        parts += ["<details><summary>Alla par / Every pair</summary>", "", *_matrix(field, rules), "", "</details>", ""]
    return "\n".join([*parts, _TAIL])


def _order(field: Field, rules: Rules) -> Iterator[str]:
    """Yield the kinds from the strongest to the weakest; those of one rank are compared by time."""
    silent = [kind for kind in KINDS if rules.verdicts[field, kind, kind] == "impossible"]
    speaking = [kind for kind in KINDS if kind not in silent]
    ranks: dict[int, list[Kind]] = {}
    for kind in speaking:
        beaten = sum(rules.verdicts[field, kind, other] == "row" for other in speaking if other != kind)
        ranks.setdefault(-beaten, []).append(kind)
    for place, rank in enumerate(sorted(ranks), 1):
        names = ranks[rank]
        tie = " (senaste beslutet / the latest decision)" if len(names) > 1 else ""
        yield f"{place}. {'; '.join(_name(kind) for kind in names)}{tie}"
    pairs = [(a, b) for i, a in enumerate(speaking) for b in speaking[i:] if rules.verdicts[field, a, b] == "undecided"]
    if pairs:
        yield ""
        yield "En person avgör mellan / A person decides between:"
        yield from (f"- {_name(a)} | {_name(b)}" for a, b in pairs)
    if silent:
        yield ""
        yield f"Säger inget här / Say nothing here: {'; '.join(_name(kind) for kind in silent)}."


def _matrix(field: Field, rules: Rules) -> Iterator[str]:
    yield "| rad / row | " + " | ".join(KINDS) + " |"
    yield "|---" * (len(KINDS) + 1) + "|"
    for row in KINDS:
        yield f"| {row} | " + " | ".join(_SIGNS[rules.verdicts[field, row, column]] for column in KINDS) + " |"


def _name(kind: Kind) -> str:
    swedish, english = KIND_WORDS[kind]
    return f"{swedish} / {english}"
