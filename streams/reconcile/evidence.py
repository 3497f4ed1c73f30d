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
    """Return the tier of inferred evidence between two entries, or ``None``."""
    if a.never_valid or b.never_valid or not meet(a, b, rules.tolerance):
        return None
    tier = product_tier(a.profile, b.profile)
    if a.source == b.source and a.kind == b.kind:
        return CHANGE_BY_SOURCE if _handed_over(a, b, rules) else None
    return tier


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
    """Say whether a source itself keeps two groups of entries apart.

    It holds entries of both at once; or it chained them differently; or, within a kind, it ended the one and started
    the other only after a gap.
    """
    if any(held_at_once(a, b, rules) for a in left for b in right):
        return True
    for source in {e.source for e in left} & {e.source for e in right}:
        mine, theirs = [e for e in left if e.source == source], [e for e in right if e.source == source]
        chains = frozenset().union(*(e.chains for e in mine)), frozenset().union(*(e.chains for e in theirs))
        if all(chains) and not chains[0] & chains[1]:
            return True
        for kind in REQUEST_KINDS:
            pairs = [(a, b) for a in mine for b in theirs if a.kind == b.kind == kind and not _never(a, b)]
            if pairs and all(inferred(a, b, rules) is None for a, b in pairs):
                return True
    return False


def _never(a: Entry, b: Entry) -> bool:
    return a.never_valid or b.never_valid


def closeness(a: Entry, b: Entry, tier: int) -> tuple[object, ...]:
    """Return the rank of a link among its rivals: smaller is better. Made of evidence alone, never of ids."""
    return (
        tier,
        a.profile.strengths != b.profile.strengths or not a.profile.strengths,
        a.unit is None or a.unit != b.unit,
        abs(a.start - b.start),
    )


def _add(when: datetime, delta: timedelta) -> datetime:
    try:
        return when + delta
    except OverflowError:
        return when
