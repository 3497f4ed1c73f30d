"""Rules about repeats, telephone prescriptions and start packs (H.003-H.007)."""

from connectors.nll_sandbox.aff.case import Case, Places, product, whole_number
from connectors.nll_sandbox.completions import TELEPHONE_VALIDITY
from connectors.nll_sandbox.resources import child, day, extension_value
from connectors.nll_sandbox.vocabulary import PACKAGES_PRESCRIBED, REGISTRATION_BASIS, TELEPHONE

_REPEATS = "dispenseRequest.numberOfRepeatsAllowed"
_PACKAGES = "dispenseRequest.extension"


def telephoned_controlled_drug_is_not_repeated(case: Case) -> Places:
    """H.003."""
    if _telephoned(case) and _controlled(case) and _repeats(case) > 0:
        yield _REPEATS


def telephoned_controlled_drug_is_one_package(case: Case) -> Places:
    """H.004."""
    if _telephoned(case) and _controlled(case) and _packages(case) > 1:
        yield _PACKAGES


def telephoned_prescription_is_short(case: Case) -> Places:
    """H.005."""
    issued = day(case.resource.get("authoredOn"))
    valid_to = day(child(case.resource, "dispenseRequest", "validityPeriod").get("end"))
    if _telephoned(case) and issued and valid_to and valid_to > issued + TELEPHONE_VALIDITY:
        yield "dispenseRequest.validityPeriod.end"


def start_pack_is_not_repeated(case: Case) -> Places:
    """H.006."""
    if _start_pack(case) and _repeats(case) > 0:
        yield _REPEATS


def controlled_start_pack_is_one_package(case: Case) -> Places:
    """H.007."""
    if _start_pack(case) and _controlled(case) and _packages(case) > 1:
        yield _PACKAGES


def _telephoned(case: Case) -> bool:
    return child(extension_value(case.resource, REGISTRATION_BASIS)).get("code") == TELEPHONE


def _controlled(case: Case) -> bool:
    return any(article.is_controlled for article in product(case).articles)


def _start_pack(case: Case) -> bool:
    return any(article.is_start_pack for article in product(case).articles)


def _repeats(case: Case) -> int:
    return whole_number(child(case.resource, "dispenseRequest").get("numberOfRepeatsAllowed")) or 0


def _packages(case: Case) -> int:
    return whole_number(extension_value(case.resource.get("dispenseRequest"), PACKAGES_PRESCRIBED)) or 1
