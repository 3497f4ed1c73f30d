"""Explanations in words: why a line is here, why in this state, why with this dose; why a fact is on no line.

Nothing is decided here: every sentence repeats what the list names (facts and rules), with the words of
``explain_texts``. Times are written by ``show``, which knows the reader's zone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from contracts.fact import Fact
from contracts.facts.base import TreatmentContent
from contracts.findings import FINDINGS
from contracts.medication_list import Finding, ListItem, MedicationList
from streams.reconcile.entries import kind_of
from streams.reconcile.explain_lines import Voiced, joined, leaves_joined, why_dose, why_fields, why_state
from streams.reconcile.explain_texts import ABSENT, KINDS, LEADS_TO, PHRASES, STATES, Language, say
from streams.reconcile.leaves import KIND_OF_LEAF
from streams.reconcile.patient import Patient
from streams.reconcile.records import HEAD_TYPES
from streams.reconcile.resolve import resolve


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    ``about``: an id, or a part of a product's name. ``later``: facts that were received after the time of knowledge and
    that no block may cover: their products are named.
    """

    valid_at: datetime
    lang: Language
    show: Callable[[datetime], str]
    about: str | None = None
    later: tuple[Fact, ...] = ()


class Paragraph(msgspec.Struct, frozen=True):
    """A question and the sentences that answer it."""

    heading: str
    sentences: tuple[str, ...]


class ExplainedLine(msgspec.Struct, frozen=True):
    """One line in words."""

    treatment: str
    strand: str
    title: str
    paragraphs: tuple[Paragraph, ...]


class Explanation(msgspec.Struct, frozen=True):
    """The lines that were asked for, and what is on no line. ``leads_to`` says where an id leads that was asked for."""

    lines: tuple[ExplainedLine, ...]
    absent: Paragraph | None
    leads_to: str | None = None


def explain(patient: Patient, asked: Question) -> Explanation:
    """Return the explanation of a patient's list as of ``asked.valid_at``."""
    made = patient.list_at(asked.valid_at, every_fact=True)
    rendered, now, decided = patient.lines_at(asked.valid_at)
    by_strand = {line.item.strand: line for line in rendered}
    items, leads_to = _asked_for(made, asked, patient)
    lines = tuple(
        _line(item, Voiced(by_strand[item.strand], now, decided.same, asked.lang, asked.show), made) for item in items
    )
    absent = tuple(_absent(patient, made, asked))
    heading = say(PHRASES, "why_not", asked.lang)
    return Explanation(lines, Paragraph(heading, absent) if absent else None, leads_to)


def _asked_for(made: MedicationList, asked: Question, patient: Patient) -> tuple[list[ListItem], str | None]:
    if asked.about is None:
        return list(made.items), None
    found = resolve(made, asked.about, patient.ledger.facts())
    if found is not None:
        same = [item for item in made.items if found.item is not None and item.treatment == found.item.treatment]
        return same, say(LEADS_TO, found.how, asked.lang)
    part = asked.about.casefold()
    return [item for item in made.items if part in (item.product or "").casefold()], None


def _line(item: ListItem, voiced: Voiced, made: MedicationList) -> ExplainedLine:
    lang = voiced.lang
    state = say(STATES, item.state, lang)
    paragraphs = [
        Paragraph(say(PHRASES, "why_here", lang), (*joined(voiced), *leaves_joined(voiced))),
        Paragraph(say(PHRASES, "why_state", lang, state=state), tuple(why_state(voiced))),
    ]
    if voiced.line.line.entries:
        paragraphs.append(Paragraph(say(PHRASES, "why_dose", lang), tuple(why_dose(voiced))))
    others = tuple(why_fields(voiced))
    if others:
        paragraphs.append(Paragraph(say(PHRASES, "why_fields", lang), others))
    noticed = tuple(_noticed(one, lang) for one in made.findings if item.strand in one.items)
    if noticed:
        paragraphs.append(Paragraph(say(PHRASES, "noticed", lang), noticed))
    return ExplainedLine(item.treatment, item.strand, f"{item.product or '?'}: {state}", tuple(paragraphs))


def _noticed(found: Finding, lang: Language) -> str:
    kind = FINDINGS[found.code]
    detail = "; ".join(f"{name}: {value}" for name, value in sorted(found.detail.items()))
    return f"{found.code}: {kind.sv if lang == 'sv' else kind.en}{f' ({detail})' if detail else ''}"


def _absent(patient: Patient, made: MedicationList, asked: Question) -> Iterator[str]:
    """Yield why each fact that is on no line is on none, alike ones counted. Of blocked ones nothing but their number."""
    if asked.about is not None and resolve(made, asked.about, patient.ledger.facts()) is not None:
        return
    yield from _summed(_reasons(patient, made, asked), asked)
    hidden = sum(one.reason == "blocked" for one in made.unattached)
    if hidden:
        yield say(PHRASES, "hidden", asked.lang, count=str(hidden))


def _reasons(patient: Patient, made: MedicationList, asked: Question) -> Iterator[tuple[Fact, str, Mapping[str, str]]]:
    for fact, by in patient.ledger.retracted():
        yield fact, "retracted", {"source": patient.ledger[by].source}
    for one in made.unattached:
        if one.reason != "blocked":
            yield patient.ledger[one.fact], one.reason, {}
    for fact in asked.later:
        yield fact, "unknown-yet", {"time": asked.show(fact.received_at)}


def _summed(reasons: Iterable[tuple[Fact, str, Mapping[str, str]]], asked: Question) -> Iterator[str]:
    groups: dict[tuple[str, str, str], list[tuple[Fact, str]]] = {}
    for fact, code, values in reasons:
        product = _product(fact)
        if asked.about is None or asked.about.casefold() in product.casefold():
            groups.setdefault((code, fact.source, product), []).append((fact, say(ABSENT, code, asked.lang, **values)))
    for key in sorted(groups):
        yield from _few(sorted(groups[key], key=lambda pair: pair[0].id), asked)


def _few(members: Sequence[tuple[Fact, str]], asked: Question) -> Iterator[str]:
    fact, why = members[0]
    what = ", ".join(part for part in (_kind(fact, asked.lang), fact.source, _product(fact)) if part)
    yield say(PHRASES, "because", asked.lang, what=what, fact=fact.id[:8], why=why)
    if len(members) > 1:
        yield say(PHRASES, "more", asked.lang, count=str(len(members) - 1), why=why)


def _kind(fact: Fact, lang: Language) -> str:
    content = fact.content
    if not isinstance(content, TreatmentContent):
        return ""
    return say(KINDS, kind_of(content) if isinstance(content, HEAD_TYPES) else KIND_OF_LEAF[type(content)], lang)


def _product(fact: Fact) -> str:
    return fact.content.medication.text or "" if isinstance(fact.content, TreatmentContent) else ""
