"""The registers the rules ask: articles (VARA), prescribers (prescriber codes), workplaces (ARKO)."""

import csv
from pathlib import Path

import msgspec

from connectors.nll_sandbox.resources import (
    child,
    codes,
    contained,
    extension,
    extension_value,
    identifier_value,
    identifiers,
    objects,
    referred,
    set_extension,
    text_at,
)
from connectors.nll_sandbox.settings import SandboxSettings
from connectors.nll_sandbox.store import Store
from connectors.nll_sandbox.vocabulary import (
    ARTICLE_INFO,
    ARTICLE_REGULATIONS,
    NARCOTIC_CLASS,
    NARCOTIC_CLASSES,
    PRODUCT_TYPE,
    START_PACK,
)
from contracts.systems import ARTICLE_NUMBER, ATC, NPL_ID, NPL_PACK_ID
from mappings.fhir.exact_json import JsonObject

_NPL_LENGTH = 14


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One article of the register; ``atc`` has 7 characters for a drug."""

    pack_id: str | None
    npl_id: str | None
    article_number: str | None
    atc: str | None
    is_drug: bool = True
    is_controlled: bool = False
    is_start_pack: bool = False


class Registers:
    """Looks up articles in the stored Medication resources, and people and places in the seed files."""

    def __init__(self, store: Store, settings: SandboxSettings) -> None:
        self._store = store
        self._open = settings.article_register == "open"
        self._articles: dict[tuple[str, str], Article | None] = {}
        self._prescribers = {row["prescriber_code"]: row["profession"] for row in rows(settings.prescribers_file)}
        self._workplaces = {row["workplace_code"] for row in rows(settings.workplaces_file)}
        self._strict_people = settings.prescriber_register == "seeded"

    def forget(self) -> None:
        """Look articles up anew: the stored Medication resources have changed."""
        self._articles.clear()

    def medication(self, reference: str | None) -> JsonObject:
        """The stored Medication that a reference names, or an empty object."""
        name = referred({"reference": reference}, "Medication")
        stored = None if name is None else self._store.read("Medication", name)
        return {} if stored is None else stored.resource

    def article(self, system: str, value: str) -> Article | None:
        """The article with an NPL pack id, NPL id or article number."""
        key = (system, value)
        if key not in self._articles:
            self._articles[key] = self._find(system, value)
        return self._articles[key]

    def profession(self, prescriber_code: str) -> str | None:
        """The profession registered for a prescriber code; None when the code is not known."""
        return self._prescribers.get(prescriber_code)

    def is_prescriber(self, code: str) -> bool:
        """Whether the prescriber code is valid: seven digits, and in the register when that is closed."""
        formed = len(code) == 7 and code.isascii() and code.isdigit()  # noqa: PLR2004 - the code's length
        return formed and (not self._strict_people or code in self._prescribers)

    def is_workplace(self, code: str) -> bool:
        """Whether the workplace code is valid: thirteen digits, and in the register when that is closed."""
        formed = len(code) == 13 and code.isascii() and code.isdigit()  # noqa: PLR2004 - the code's length
        return formed and (not self._strict_people or code in self._workplaces)

    def _find(self, system: str, value: str) -> Article | None:
        stored = self._store.by_identifier("Medication", f"{system}|{value}")
        if stored:
            return _article(stored[0].resource)
        if not self._open or not (value.isascii() and value.isdigit()):
            return None
        if system != ARTICLE_NUMBER and len(value) != _NPL_LENGTH:
            return None
        return Article(
            pack_id=value if system == NPL_PACK_ID else None,
            npl_id=value if system == NPL_ID else None,
            article_number=value if system == ARTICLE_NUMBER else None,
            atc=None,
        )


def names_of(registers: Registers, resource: JsonObject) -> dict[str, str]:
    """How a resource names its drug: code by system, from its codes and its Medication, contained or referred to."""
    reference = resource.get("medicationReference")
    medication = contained(resource, reference) or registers.medication(text_at(reference, "reference"))
    return {
        **dict(_codings(resource.get("medicationCodeableConcept"))),
        **dict(identifiers(medication)),
        **dict(_codings(medication.get("code"))),
    }


def articles_of(registers: Registers, resource: JsonObject) -> tuple[Article, ...]:
    """The articles the register knows by those names."""
    names = names_of(registers, resource)
    keys = [(system, names[system]) for system in (NPL_PACK_ID, NPL_ID, ARTICLE_NUMBER) if system in names]
    found = (registers.article(system, value) for system, value in keys)
    return tuple(article for article in found if article is not None)


def _codings(concept: object) -> list[tuple[str, str]]:
    found = ((text_at(one, "system"), text_at(one, "code")) for one in objects(child(concept).get("coding")))
    return [(system, code) for system, code in found if system and code]


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a heading."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def medication_resource(row: dict[str, str]) -> JsonObject:
    """The Medication (NLLMedication) of one row of the article file."""
    names = ((NPL_PACK_ID, row["npl_pack_id"]), (NPL_ID, row["npl_id"]), (ARTICLE_NUMBER, row["article_number"]))
    known = ((ATC, row["atc"]), (NPL_ID, row["npl_id"]))
    coding = [{"system": system, "code": code} for system, code in known if code]
    info: JsonObject = {"url": ARTICLE_INFO}
    set_extension(info, PRODUCT_TYPE, "valueCode", row["product_type"])
    set_extension(info, START_PACK, "valueBoolean", row["start_pack"] == "yes")
    rules: JsonObject = {"url": ARTICLE_REGULATIONS}
    if row["narcotic_class"]:
        narcotic = {"system": NARCOTIC_CLASSES, "code": row["narcotic_class"]}
        set_extension(rules, NARCOTIC_CLASS, "valueCoding", narcotic)
    return {
        "resourceType": "Medication",
        "extension": [info, rules] if row["narcotic_class"] else [info],
        "identifier": [{"system": system, "value": value} for system, value in names if value],
        "code": {**({"coding": coding} if coding else {}), "text": row["name"]},
        "status": "active",
        **({"form": {"text": row["form"]}} if row["form"] else {}),
    }


def _article(medication: JsonObject) -> Article:
    info, regulations = extension(medication, ARTICLE_INFO), extension(medication, ARTICLE_REGULATIONS)
    narcotic = child(extension_value(regulations, NARCOTIC_CLASS)).get("code", "0")
    npl_ids = codes(medication.get("code"), NPL_ID)
    return Article(
        pack_id=identifier_value(medication, NPL_PACK_ID),
        npl_id=identifier_value(medication, NPL_ID) or next(iter(npl_ids), None),
        article_number=identifier_value(medication, ARTICLE_NUMBER),
        atc=next(iter(codes(medication.get("code"), ATC)), None),
        is_drug=extension_value(info, PRODUCT_TYPE) != "merchandise",
        is_controlled=narcotic != "0",
        is_start_pack=extension_value(info, START_PACK) is True,
    )
