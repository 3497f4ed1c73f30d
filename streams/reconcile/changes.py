"""What changed between two successive lists of a patient, in kinds that mean something to a clinician, and why."""

from collections.abc import Iterator, Mapping

from contracts.medication_list import Change, ListItem, MedicationList


def changes(before: MedicationList | None, after: MedicationList, causes: Mapping[str, str]) -> Iterator[Change]:
    """Yield the changes. ``causes`` maps each fact that has come since to its type; none means that time passed."""
    old = {item.strand: item for item in before.items} if before else {}
    new = {item.strand: item for item in after.items}
    facts = tuple(sorted(causes))
    cause = ", ".join(sorted(set(causes.values()))) or "time"
    teller = _Teller(after.patient, facts, cause)
    continued: dict[str, ListItem] = {}
    for strand in sorted(old.keys() - new.keys()):
        gone = old[strand]
        heir = _heir(gone, after)
        if heir is None:
            yield teller.tell("disappeared", gone.treatment, gone.product, None)
            continue
        yield teller.tell("superseded", gone.treatment, strand, heir.strand)
        if heir.strand not in old:
            continued.setdefault(heir.strand, gone)
    for strand in sorted(new.keys() - old.keys()):
        if strand in continued:
            yield from _differences(continued[strand], new[strand], teller)
        else:
            yield teller.tell("appeared", new[strand].treatment, None, new[strand].product)
    for strand in sorted(new.keys() & old.keys()):
        if old[strand].treatment != new[strand].treatment:
            yield teller.tell("superseded", old[strand].treatment, old[strand].treatment, new[strand].treatment)
        yield from _differences(old[strand], new[strand], teller)
    yield from _finding_changes(before, after, teller)


def _heir(gone: ListItem, after: MedicationList) -> ListItem | None:
    """Return the line that a line has gone into: the one that holds a record of it, else one of its facts."""
    for mine, theirs in ((gone.records, "records"), (gone.facts, "facts")):
        wanted = set(mine)
        found = [item for item in after.items if not wanted.isdisjoint(getattr(item, theirs))]
        if found:
            return min(found, key=lambda item: (item.treatment, item.strand))
    return None


class _Teller:
    def __init__(self, patient: str, facts: tuple[str, ...], cause: str) -> None:
        self._patient, self._facts, self._cause = patient, facts, cause

    def tell(self, kind: str, treatment: str | None, before: str | None, after: str | None) -> Change:
        return Change(
            patient=self._patient,
            kind=kind,
            treatment=treatment,
            before=before,
            after=after,
            facts=self._facts,
            cause=self._cause,
        )


def _differences(old: ListItem, new: ListItem, teller: _Teller) -> Iterator[Change]:
    kinds: tuple[tuple[str, str | None, str | None], ...] = (
        ("state", old.state, new.state),
        ("dose", _dose(old), _dose(new)),
        ("instructions", *_instructions(old, new)),
        ("brand", old.npl_id or old.product, new.npl_id or new.product),
        ("strength", old.strength, new.strength),
        ("form", old.form, new.form),
        ("route", old.route, new.route),
        ("therapy", old.atc, new.atc),
        ("prescriber", _prescriber(old), _prescriber(new)),
        ("start", _time(old.start), _time(new.start)),
        ("end", _time(old.end), _time(new.end)),
    )
    for kind, before, after in kinds:
        if before != after:
            yield teller.tell(kind, new.treatment, before, after)


def _dose(item: ListItem) -> str | None:
    dose = item.daily_dose
    if dose is None:
        return None
    return f"{dose.value} {dose.unit}" if dose.value is not None else f"{dose.status}: {item.dosage_text or ''}".strip()


def _instructions(old: ListItem, new: ListItem) -> tuple[str | None, str | None]:
    """Return the words of the dosage where only they differ: one in the morning is not one in the evening."""
    return (old.dosage_text, new.dosage_text) if _dose(old) == _dose(new) else (None, None)


def _prescriber(item: ListItem) -> str | None:
    """Return who decides: the codes of the person, else of the care unit."""
    who = item.prescriber
    if who is None:
        return None
    units = [unit for unit in (who.care_unit, who.care_giver) if unit is not None][:1]
    return ", ".join(sorted(identifier.value for identifier in who.identifiers or units)) or None


def _time(value: object) -> str | None:
    return None if value is None else str(value)


def _finding_changes(before: MedicationList | None, after: MedicationList, teller: _Teller) -> Iterator[Change]:
    old = {(f.code, f.items) for f in before.findings} if before else set()
    new = {(f.code, f.items) for f in after.findings}
    for code, _ in sorted(new - old):
        yield teller.tell("finding", None, None, code)
    for code, _ in sorted(old - new):
        yield teller.tell("finding-gone", None, code, None)
