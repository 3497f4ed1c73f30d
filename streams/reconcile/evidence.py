"""Evidence that two entries are one treatment, or that they are not. Symmetric, and about two entries alone.

Tiers 4 and 5 of the design: same product or substitution group, same route, meeting periods; same substance, same form
group, meeting periods. 5b: one source, same substance and route, the one ends where the other starts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from streams.reconcile.entries import Entry
from streams.reconcile.policy import Rules
from streams.reconcile.profile import Profile

SAME_PRODUCT, SAME_GROUP, SAME_SUBSTANCE, CHANGE_BY_SOURCE = 40, 41, 50, 51
REQUEST_KINDS: Final = ("inpatient_order", "outpatient_order", "prescription")
LASTING_KINDS: Final = ("outpatient_order", "prescription")
STATEMENT_KINDS: Final = ("list_row", "reported_use")
TOGETHER: Final = timedelta(days=1)
"""Starts that are no further apart may be one decision."""

RULE_OF = {
    SAME_PRODUCT: "SAME_PRODUCT_MEETING_PERIODS",
    SAME_GROUP: "SAME_SUBSTITUTION_GROUP_MEETING_PERIODS",
    SAME_SUBSTANCE: "SAME_SUBSTANCE_AND_FORM_MEETING_PERIODS",
    CHANGE_BY_SOURCE: "STOPPED_AND_STARTED_BY_ONE_SOURCE",
}


def product_tier(a: Profile, b: Profile) -> int | None:
    """Return the strongest tier at which two products are the same drug, or ``None``."""
    if not (a.matchable and b.matchable) or contradict(a, b):
        return None
    if (a.npl_id and a.npl_id == b.npl_id) or a.codes & b.codes:
        return SAME_PRODUCT
    if a.group and a.group == b.group and a.route and a.route == b.route:
        return SAME_GROUP
    if same_drug(a, b) and a.form_group and a.form_group == b.form_group:
        return SAME_SUBSTANCE
    return None


def same_drug(a: Profile, b: Profile) -> bool:
    """Say whether two products have the same substances for the same use: ATC code and substances, where known.

    One substance under two ATC codes is usually two uses (low-dose and analgesic acetylsalicylic acid).
    """
    if a.atc and b.atc:
        return a.atc == b.atc and (not (a.substances and b.substances) or a.substances == b.substances)
    return bool(a.substances) and a.substances == b.substances


def contradict(a: Profile, b: Profile) -> bool:
    """Say whether two products differ in something that both know: route, form group, or all their substances."""
    if a.route and b.route and a.route != b.route:
        return True
    if a.form_group and b.form_group and a.form_group != b.form_group:
        return True
    return disjoint(a, b)


def disjoint(a: Profile, b: Profile) -> bool:
    """Say whether both know their substances and share none."""
    return bool(a.substances) and bool(b.substances) and not (a.substances & b.substances)


def meet(a: Entry, b: Entry, tolerance: timedelta) -> bool:
    """Say whether two spans overlap, or miss each other by no more than the tolerance."""
    return a.start <= _add(b.end, tolerance) and b.start <= _add(a.end, tolerance)


def overlap(a: Entry, b: Entry, tolerance: timedelta) -> bool:
    """Say whether two spans overlap by more than the tolerance."""
    return min(a.end, b.end) - max(a.start, b.start) > tolerance


def inferred(a: Entry, b: Entry, rules: Rules) -> int | None:
    """Return the tier of inferred evidence between two entries, or ``None``.

    A statement (a list row, a report) is about what is in force when it is made; two statements about one product are
    one treatment where the periods that they state meet.
    """
    if a.never_valid or b.never_valid:
        return None
    stated = (a.kind in STATEMENT_KINDS) + (b.kind in STATEMENT_KINDS)
    if stated == 1:
        statement, request = (a, b) if a.kind in STATEMENT_KINDS else (b, a)
        return product_tier(a.profile, b.profile) if _in_force(request, statement.said_at, rules.tolerance) else None
    if not meet(a, b, rules.tolerance):
        return None
    if a.source == b.source and a.kind == b.kind and not stated:
        return CHANGE_BY_SOURCE if _handed_over(a, b, rules) else None
    return product_tier(a.profile, b.profile)


def _in_force(request: Entry, when: datetime, tolerance: timedelta) -> bool:
    return _minus(request.start, tolerance) <= when <= _add(request.end, tolerance)


def _handed_over(a: Entry, b: Entry, rules: Rules) -> bool:
    """Say whether one source wrote a change as a stop and a start (never across two chains of its own)."""
    if overlap(a, b, rules.tolerance) or (a.chains and b.chains and not a.chains & b.chains):
        return False
    pa, pb = a.profile, b.profile
    if not (pa.matchable and pb.matchable) or contradict(pa, pb):
        return False
    same_route = (pa.route and pa.route == pb.route) or (pa.npl_id and pa.npl_id == pb.npl_id)
    same = same_drug(pa, pb) or bool(pa.codes & pb.codes) or (pa.npl_id is not None and pa.npl_id == pb.npl_id)
    return bool(same and (same_route or pa.codes & pb.codes))


def held_at_once(a: Entry, b: Entry, rules: Rules) -> bool:
    """Say whether a source itself holds both at once.

    Judged within one source and kind: two orders (or prescriptions) in force at the same time, or two rows of one
    statement. An order and a prescription of one source are not apart: that is how sources write one treatment.
    """
    if a.statement is not None and a.statement == b.statement:
        return True
    if a.source != b.source or a.kind != b.kind or a.kind not in REQUEST_KINDS:
        return False
    return not (a.never_valid or b.never_valid) and overlap(a, b, rules.tolerance)


def apart(left: Sequence[Entry], right: Sequence[Entry], rules: Rules) -> bool:
    """Say whether a source itself keeps two groups of entries apart: it holds both at once, or chained them differently."""
    if any(held_at_once(a, b, rules) for a in left for b in right):
        return True
    for source in {e.source for e in left} & {e.source for e in right}:
        chains = [
            frozenset(chain for e in group if e.source == source for chain in e.chains) for group in (left, right)
        ]
        if all(chains) and not chains[0] & chains[1]:
            return True
    return False


def restarted(left: Sequence[Entry], right: Sequence[Entry], rules: Rules) -> bool:
    """Say whether a source ended the one group and started the other only after a gap.

    Judged per source and kind, outside stays: where both groups have entries, one of them must go over into the other.
    """
    for kind in LASTING_KINDS:
        for source in {e.source for e in left if e.kind == kind} & {e.source for e in right if e.kind == kind}:
            pairs = [
                (a, b)
                for a in left
                for b in right
                if a.kind == b.kind == kind and a.source == b.source == source and not (a.never_valid or b.never_valid)
            ]
            if pairs and all(inferred(a, b, rules) is None for a, b in pairs):
                return True
    return False


def closeness(a: Entry, b: Entry, tier: int) -> tuple[object, ...]:
    """Return the rank of a link among its rivals: smaller is better. Made of evidence alone, never of ids.

    That two begin together is evidence of one decision; that one begins less long before a stay than another is none.
    """
    return (
        tier if tier != SAME_GROUP else SAME_PRODUCT,
        not overlap(a, b, timedelta(0)),
        a.profile.strengths != b.profile.strengths or not a.profile.strengths,
        a.unit is None or a.unit != b.unit,
        abs(a.start - b.start) > TOGETHER,
    )


def _add(when: datetime, delta: timedelta) -> datetime:
    try:
        return when + delta
    except OverflowError:
        return when


def _minus(when: datetime, delta: timedelta) -> datetime:
    try:
        return when - delta
    except OverflowError:
        return when
