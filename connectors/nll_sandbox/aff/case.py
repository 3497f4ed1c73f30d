"""What a check may look at: the resource, what it changes or follows, the registers, the day."""

from collections.abc import Iterator
from datetime import date, datetime

import msgspec

from connectors.nll_sandbox.registers import Article, Registers, articles_of, names_of
from connectors.nll_sandbox.resources import child, extension_value, objects
from connectors.nll_sandbox.vocabulary import DOSE_PACKAGING
from contracts.systems import ARTICLE_NUMBER, ATC, NPL_ID, NPL_PACK_ID
from mappings.fhir.exact_json import JsonObject


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """How a resource names its drug, and the articles the register knows by those names."""

    pack_id: str | None
    npl_id: str | None
    article_number: str | None
    atc: str | None
    articles: tuple[Article, ...]

    @property
    def article(self) -> Article | None:
        """The first article that one of the names finds."""
        return next(iter(self.articles), None)

    @property
    def substance(self) -> str | None:
        """The 7-character ATC code: of the register, or as the resource itself says."""
        known = self.article.atc if self.article is not None else None
        return known or self.atc


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One resource about to be stored, and all that the rules compare it with.

    ``product`` is the drug it names, ``previous`` the stored version it changes, ``prior`` the prescription it replaces, ``authorizing`` the one it
    dispenses, ``dispensed`` what was dispensed on that one before. ``dose_actor`` is the GLN of the patient's dose
    actor, empty when the consent names none, None when the patient is no dose patient. ``activity`` is the händelse
    that the client states, ``role`` the caller's.
    """

    kind: str
    resource: JsonObject
    registers: Registers
    product: Product
    now: datetime
    today: date
    previous: JsonObject | None = None
    prior: JsonObject | None = None
    authorizing: JsonObject | None = None
    dispensed: tuple[JsonObject, ...] = ()
    medication: JsonObject | None = None
    patient_registered: bool = True
    dose_actor: str | None = None
    activity: str = ""
    current_list_version: int = 0
    named_list_version: int | None = None
    list_version_header: str = ""
    patient: str | None = None
    role: str = ""
    has_active_dose_prescription: bool = False


Places = Iterator[str]
"""Where a rule is broken, as FHIRPath in the resource; nothing when it holds."""


def product(case: Case, resource: JsonObject | None = None) -> Product:
    """The drug of the case, or of another resource it is compared with."""
    return case.product if resource is None else product_of(case.registers, resource)


def product_of(registers: Registers, resource: JsonObject) -> Product:
    """The drug that a resource names, by code, contained Medication or reference."""
    names = names_of(registers, resource)
    return Product(
        pack_id=names.get(NPL_PACK_ID),
        npl_id=names.get(NPL_ID),
        article_number=names.get(ARTICLE_NUMBER),
        atc=names.get(ATC),
        articles=articles_of(registers, resource),
    )


def dosages(resource: JsonObject) -> list[tuple[str, JsonObject]]:
    """Each dosage with its place."""
    return [(f"dosageInstruction[{n}]", one) for n, one in enumerate(objects(resource.get("dosageInstruction")))]


def bounds(resource: JsonObject) -> list[tuple[str, JsonObject]]:
    """Each dosage's period with its place; an absent period is empty."""
    return [
        (f"{place}.timing.repeat.boundsPeriod", child(dosage, "timing", "repeat", "boundsPeriod"))
        for place, dosage in dosages(resource)
    ]


def dose_packaging(resource: JsonObject) -> bool | None:
    """Whether a prescription is dose-dispensed; None when it does not say."""
    value = extension_value(resource.get("dispenseRequest"), DOSE_PACKAGING)
    return value if isinstance(value, bool) else None


def whole_number(value: object) -> int | None:
    """A whole number that is one; a boolean is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
