"""Rules about the drug: that it exists, that its names agree, that its substance stays.

Names only disagree when each is known: an unknown one is told by the rule for it alone.
"""

from connectors.nll_sandbox.aff.case import Case, Places, Product, product
from connectors.nll_sandbox.registers import Article
from contracts.systems import ARTICLE_NUMBER, NPL_ID, NPL_PACK_ID

_PLACE = "medication"


def pack_exists(case: Case) -> Places:
    """G.004."""
    yield from _missing(case, NPL_PACK_ID, product(case).pack_id)


def product_exists(case: Case) -> Places:
    """VOK G.007."""
    yield from _missing(case, NPL_ID, product(case).npl_id)


def article_number_exists(case: Case) -> Places:
    """VOK G.008."""
    yield from _missing(case, ARTICLE_NUMBER, product(case).article_number)


def pack_and_product_agree(case: Case) -> Places:
    """VOK G.009."""
    named = product(case)
    pack, other = _article(case, NPL_PACK_ID, named.pack_id), _article(case, NPL_ID, named.npl_id)
    if pack is not None and other is not None and _differ(pack.npl_id, named.npl_id):
        yield _PLACE


def pack_and_article_number_agree(case: Case) -> Places:
    """VOK G.010."""
    named = product(case)
    pack, other = _article(case, NPL_PACK_ID, named.pack_id), _article(case, ARTICLE_NUMBER, named.article_number)
    if pack is not None and other is not None and _differ(pack.article_number, named.article_number):
        yield _PLACE


def product_and_article_number_agree(case: Case) -> Places:
    """VOK G.011; an article number is not unique for a drug, so the product it leads to is compared."""
    named = product(case)
    other, known = _article(case, ARTICLE_NUMBER, named.article_number), _article(case, NPL_ID, named.npl_id)
    if other is not None and known is not None and _differ(other.npl_id, named.npl_id):
        yield _PLACE


def drug_has_pack(case: Case) -> Places:
    """G.006; merchandise (handelsvaror) needs none."""
    named = product(case)
    if named.pack_id is None and (named.article is None or named.article.is_drug):
        yield _PLACE


def same_substance(case: Case) -> Places:
    """G.007: against the version that is corrected, the prescription that is replaced, the one that is dispensed."""
    others = [other for other in (case.previous, case.prior, case.authorizing) if other is not None]
    here = _sameness(product(case))
    if any(here != _sameness(product(case, other)) for other in others):
        yield _PLACE


def _sameness(named: Product) -> str | None:
    """The ATC code; where no register tells one, only the same product is surely the same substance."""
    return named.substance or named.npl_id or named.pack_id


def _article(case: Case, system: str, value: str | None) -> Article | None:
    return None if value is None else case.registers.article(system, value)


def _missing(case: Case, system: str, value: str | None) -> Places:
    if value is not None and case.registers.article(system, value) is None:
        yield _PLACE


def _differ(known: str | None, named: str | None) -> bool:
    return known is not None and named is not None and known != named
