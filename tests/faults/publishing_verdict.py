"""What a run of the publisher is judged by: the sandbox's own history and log, against the lists that were sent. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from mappings.fhir.data_lock import is_data_lock, is_in_force, locked_prescription
from mappings.fhir.elements import identifiers, objects, text_at
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.vocabulary import RECORD
from tests.faults.publishing_lists import Wanted, turn_of

OPEN: Final = frozenset({"active", "on-hold", "completed"})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of faults; all must be 0.

    ``lost``: a record that must be open and is not, or not as the newest list says. ``left_open``: one that must be over or
    was never asked for. ``duplicated``: a record with several prescriptions, or several locks. ``older_over_newer``: a version
    that says what an earlier change said than the version before. ``needless``: versions without clinical change, by the
    sandbox's log. ``locks_wrong``: hidden and should not be, or the reverse. ``unsettled``: patients who are not published.
    """

    lost: int = 0
    left_open: int = 0
    duplicated: int = 0
    older_over_newer: int = 0
    needless: int = 0
    locks_wrong: int = 0
    unsettled: int = 0
    examples: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not any(
            (
                self.lost,
                self.left_open,
                self.duplicated,
                self.older_over_newer,
                self.needless,
                self.locks_wrong,
                self.unsettled,
            )
        )


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox and the publish topic say in the end; versions in the order in which they were stored."""

    prescriptions: Sequence[JsonObject]
    basics: Sequence[JsonObject]
    summary: Mapping[str, Any]
    states: Mapping[str, str]


def judge(wanted: Iterable[Wanted], evidence: Evidence) -> Verdict:
    """Hold what stands there against what was asked for."""
    asked = list(wanted)
    newest = {one["id"]: one for one in evidence.prescriptions}
    by_record: dict[str, list[JsonObject]] = {}
    for one in newest.values():
        for record in identifiers(one, RECORD):
            by_record.setdefault(record, []).append(one)
    must_be_open = {record: text for one in asked for record, text in one.open.items()}
    may_be_open = {record for one in asked for record in one.locked - one.over}
    lost = [record for record, text in must_be_open.items() if _open_texts(by_record.get(record, [])) != [text]]
    left = [
        record
        for record, found in by_record.items()
        if record not in must_be_open and record not in may_be_open and _open_texts(found)
    ]
    locks = [one for one in {one["id"]: one for one in evidence.basics}.values() if is_data_lock(one)]
    older = _older_over_newer(evidence.prescriptions)
    doubled = _duplicated(by_record, locks)
    wrong = _wrong_locks({record for one in asked for record in one.locked}, by_record, locks)
    unsettled = [f"{patient}: {how}" for patient, how in evidence.states.items() if how != "published"]
    named = (("lost", lost), ("left open", left), ("twice", doubled), ("older", older), ("lock", wrong))
    return Verdict(
        lost=len(lost),
        left_open=len(left),
        duplicated=len(doubled) + int(evidence.summary["duplicates"]["ever"]),
        older_over_newer=len(older),
        needless=int(evidence.summary["versions_without_clinical_change"]),
        locks_wrong=len(wrong),
        unsettled=len(unsettled),
        examples=tuple(f"{what}: {name}" for what, names in (*named, ("unsettled", unsettled)) for name in names[:5]),
    )


def _open_texts(found: Iterable[JsonObject]) -> list[str]:
    return [_text(one) for one in found if one["status"] in OPEN]


def _text(resource: JsonObject) -> str:
    return text_at(objects(resource.get("dosageInstruction"))[0], "patientInstruction") or ""


def _older_over_newer(versions: Iterable[JsonObject]) -> list[str]:
    """Records whose text went back to an earlier change, or that opened again after they were closed."""
    reached: dict[str, tuple[int, bool]] = {}
    wrong = []
    for one in versions:
        turn, is_open = turn_of(_text(one)), one["status"] in OPEN
        before, was_open = reached.get(one["id"], (0, True))
        if turn < before or (is_open and not was_open):
            wrong.append(str(one["id"]))
        reached[one["id"]] = turn, is_open
    return wrong


def _duplicated(by_record: Mapping[str, list[JsonObject]], locks: Iterable[JsonObject]) -> list[str]:
    several = [record for record, found in by_record.items() if len(found) > 1]
    targets = Counter(locked_prescription(one) for one in locks)
    return several + [str(target) for target, count in targets.items() if count > 1]


def _wrong_locks(locked: set[str], by_record: Mapping[str, list[JsonObject]], locks: Iterable[JsonObject]) -> list[str]:
    hidden = {locked_prescription(one) for one in locks if is_in_force(one)}
    return [
        record
        for record, found in by_record.items()
        if any((one["id"] in hidden) != (record in locked) for one in found)
    ]
