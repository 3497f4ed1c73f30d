"""A small, safe reader of dosage texts: what the words of a dosage say in all certainty, or nothing.

It reads a text only when it knows every word of it; whatever else a text holds (as needed, at most, for some days, first
this and then that, an interval), it is not read at all. So it never guesses: it finds contradictions, not dosages.
Notations after the NLL implementation guide (``1x3``, ``1+0+1``) and the wording of Swedish prescriptions.
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from contracts.values import Dosage, DosageStep, Quantity

DAYS_PER_WEEK: Final = 7
_WORDS: Final = {
    "en": "1", "ett": "1", "två": "2", "tre": "3", "fyra": "4", "fem": "5", "sex": "6", "åtta": "8",
    "halv": "0.5", "½": "0.5",
}  # fmt: skip
_COUNTED: Final = (
    r"(?:st|stycken|tabletter|tablett|tabl?|kapslar|kapsel|kaps|depottabletter|depottablett|depotkapslar|depotkapsel"
    r"|enterotabletter|enterotablett|enterokapslar|enterokapsel|brustabletter|brustablett|tuggtabletter|tuggtablett)"
)
_MEASURED: Final = {
    "mg": "mg", "milligram": "mg", "g": "g", "gram": "g", "mikrogram": "ug", "ug": "ug", "µg": "ug", "ml": "ml",
    "milliliter": "ml",
}  # fmt: skip
_NUMBER: Final = r"\d+(?:[.,]\d+)?|1/2"
_AMOUNT: Final = rf"(?P<amount>{_NUMBER})\s*(?:(?P<counted>{_COUNTED}\.?)|(?P<unit>{'|'.join(_MEASURED)}))?"
_EVERY_DAY: Final = r"(?:dagligen|dagl\.?|varje dag|per dag|om dagen|per dygn|/\s?d(?:ag|ygn)?)"
_TIMES: Final = r"(?:gånger|gång|ggr\.?|ggn|ggr|g)"
_ONCE: Final = (
    r"(?:varje morgon|varje kväll|till natten|på morgonen|på kvällen|till kvällen|på förmiddagen|på eftermiddagen"
    r"|mitt på dagen|till frukost|till middag|till lunch)"
)
_TWICE: Final = r"(?:morgon och kväll|morgon o kväll|på morgonen och på kvällen|på morgonen och kvällen)"
_CLOCK: Final = r"\d{1,2}(?:[:.]\d\d)?"
_LIMITS: Final = (
    r"(?:i|om|när|på|vid|eller|under|(?:behov|högst|max|dag|sedan|därefter|tills|varannan|vecka|mån|tis|ons|tors|fre|lör"
    r"|sön|morgon|kväll|natt)\w*)"
)
_PURPOSE: Final = rf"(?:[.,]? mot (?!.*\b{_LIMITS}\b)[a-zåäö]+(?: [a-zåäö]+){{0,2}})?"
"""What it is against (behandlingsändamål) says nothing about the dose, unless a word in it may limit when it is taken."""
_LONGEST: Final = 120

_PATTERNS: Final[tuple[tuple[re.Pattern[str], Fraction | None], ...]] = tuple(
    (re.compile(pattern + _PURPOSE + r"\.?"), per_day)
    for pattern, per_day in (
        (rf"{_AMOUNT}\s*[x\u00d7]\s*(?P<times>\d+)(?: {_EVERY_DAY})?", None),
        (rf"{_AMOUNT},? (?P<times>\d+) {_TIMES}\s?{_EVERY_DAY}", None),
        (rf"{_AMOUNT} {_EVERY_DAY}", Fraction(1)),
        (rf"{_AMOUNT} {_ONCE}(?: {_EVERY_DAY})?", Fraction(1)),
        (rf"{_AMOUNT} {_TWICE}(?: {_EVERY_DAY})?", Fraction(2)),
        (rf"{_AMOUNT} kl\.? (?P<clocks>{_CLOCK}(?:(?:, | och ){_CLOCK})*)(?: {_EVERY_DAY})?", None),
        (rf"{_AMOUNT} var (?P<hours>3|4|6|8|12|24)(?::e)? timme", None),
        (rf"{_AMOUNT} (?:1 {_TIMES} (?:per vecka|i veckan|/\s?v(?:ecka)?)|varje vecka)", Fraction(1, DAYS_PER_WEEK)),
    )
)
_SUM: Final = re.compile(rf"(?P<parts>(?:{_NUMBER})(?:\s*\+\s*(?:{_NUMBER})){{2,3}})")


class Stated(msgspec.Struct, frozen=True):
    """An amount and how often a day it is taken, on average; ``unit`` ``1`` counts tablets and the like."""

    amount: Quantity
    per_day: Fraction


def read_text(text: str) -> Stated | None:
    """Return what a dosage text says, if every word of it is understood; else ``None``."""
    if len(text) > _LONGEST:
        return None
    words = " ".join(_WORDS.get(word, word) for word in text.strip().lower().split())
    total = _SUM.fullmatch(words)
    if total is not None:
        amount = sum((_number(part.strip()) for part in total["parts"].split("+")), start=Decimal(0))
        return Stated(Quantity(value=amount, unit="1"), Fraction(1))
    for pattern, per_day in _PATTERNS:
        match = pattern.fullmatch(words)
        if match is not None:
            groups = match.groupdict()
            unit = "1" if groups["unit"] is None else _MEASURED[groups["unit"]]
            return Stated(Quantity(value=_number(groups["amount"]), unit=unit), per_day or _rhythm(groups))
    return None


def read_steps(dosage: Dosage) -> list[Stated] | None:
    """Return what structured steps say, on average per day; ``None`` where they do not say one thing for all days."""
    if not dosage.steps or len({step.sequence for step in dosage.steps}) > 1:
        return None
    found = [_read_step(step) for step in dosage.steps]
    return None if any(one is None for one in found) else [one for one in found if one is not None]


def _read_step(step: DosageStep) -> Stated | None:
    if step.dose is None or step.dose_high is not None or step.as_needed or step.once or step.text is not None:
        return None
    count = step.frequency or len(step.times_of_day)
    if not count:
        return None
    per_day = Fraction(count)
    weekly = step.period_unit == "wk" and step.period == 1
    daily = step.period_unit is None or (step.period_unit == "d" and step.period == 1)
    if step.weekdays:
        per_day = Fraction(count if weekly else count * len(step.weekdays), DAYS_PER_WEEK)
    elif step.cycle_days and step.days_in_cycle:
        per_day = Fraction(count * len(step.days_in_cycle), step.cycle_days)
    elif step.period_unit is not None and step.period:
        hours = {"h": 1, "d": 24, "wk": 24 * DAYS_PER_WEEK}.get(step.period_unit)
        return None if hours is None else Stated(step.dose, Fraction(count * 24) / (Fraction(step.period) * hours))
    return Stated(step.dose, per_day) if daily or weekly else None


def _rhythm(groups: dict[str, str | None]) -> Fraction:
    if groups.get("times"):
        return Fraction(str(groups["times"]))
    if groups.get("hours"):
        return Fraction(24, int(str(groups["hours"])))
    return Fraction(len(re.findall(_CLOCK, str(groups["clocks"]))))


def _number(text: str) -> Decimal:
    return Decimal("0.5") if text == "1/2" else Decimal(text.replace(",", "."))
