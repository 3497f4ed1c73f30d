"""The committed code tables agree with the published language and with themselves."""

from decimal import Decimal

import pytest

from contracts.systems import (
    ARTICLE_NUMBER,
    ATC,
    GLN,
    HSA_ID,
    NLL_CHAIN,
    NLL_DISPENSE,
    NLL_PRESCRIPTION,
    NPL_ID,
    NPL_PACK_ID,
    PRESCRIBER_CODE,
    SNOMED_CT,
    UCUM,
    WORKPLACE_CODE,
)
from contracts.values import Ingredient, Quantity
from mappings.codes import tables
from mappings.codes.coding_systems import system_from_name
from mappings.codes.forms import FORMS, form_from_word
from mappings.codes.hl7 import COMPLETION, ORDER_CONTROL, ORDER_STATUS, PATIENT_CLASS, REPEAT_PATTERNS
from mappings.codes.outcomes import ALL_OUTCOMES, OUTCOMES, outcome_from_code
from mappings.codes.products import PRODUCTS
from mappings.codes.routes import ROUTES, route_from_hl7, route_from_snomed, route_from_word
from mappings.codes.substances import SUBSTANCES, is_atc, substance_from_word
from mappings.codes.units import UNITS, quantity, ucum


def test_products_use_known_forms_routes_and_substances() -> None:
    """Every product has a form, a route and an ATC code of our tables, and that code's substances."""
    for product in PRODUCTS.values():
        assert product.form in FORMS, product.name
        assert product.route in ROUTES, product.name
        substances = {ingredient.substance for ingredient in product.ingredients}
        assert substances == set(SUBSTANCES[product.atc].substances), product.name


def test_product_ids_are_synthetic() -> None:
    """An NPL id of the demo table can never be taken for a real one."""
    for npl_id in PRODUCTS:
        assert len(npl_id) == 14
        assert npl_id.startswith("9900")


def test_substitution_groups_hold_one_substance_form_and_strength() -> None:
    """Products of one substitution group have the same ingredients, form and route."""
    groups: dict[str, set[tuple[tuple[Ingredient, ...], str, str]]] = {}
    for product in PRODUCTS.values():
        if product.substitution_group is not None:
            key = (product.ingredients, product.form, product.route)
            groups.setdefault(product.substitution_group, set()).add(key)

    differing = {group for group, variants in groups.items() if len({(v[0], FORMS[v[1]].group) for v in variants}) != 1}

    assert differing == set()


def test_a_strength_per_volume_is_kept_apart_from_a_strength_per_unit() -> None:
    """Eye drops of 50 micrograms per ml state what the strength is per; a tablet does not."""
    drops = next(product for product in PRODUCTS.values() if product.name.startswith("Xalatan"))
    patch = next(product for product in PRODUCTS.values() if product.name.startswith("Durogesic"))

    assert drops.ingredients[0].strength == Quantity(value=Decimal(50), unit="ug")
    assert drops.ingredients[0].per == Quantity(value=Decimal(1), unit="ml")
    assert patch.ingredients[0].strength == Quantity(value=Decimal(25), unit="ug/h")
    assert patch.ingredients[0].per is None


def test_every_outcome_has_a_row() -> None:
    """No outcome of the published language is without status, code and Swedish word."""
    assert set(OUTCOMES) == set(ALL_OUTCOMES)


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("refused", "refused"), ("Sover", "asleep"), ("out-of-stock", "supply"), ("LATE", "given-late")],
)
def test_outcomes_are_found_by_code_and_by_swedish_word(word: str, outcome: str) -> None:
    """What a signing list writes leads to one outcome, whatever its case."""
    row = outcome_from_code(word)

    assert row is not None
    assert row.outcome == outcome


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("MG", "mg"),
        ("mcg", "ug"),
        ("µg", "ug"),
        ("tabletter", "{tablet}"),
        ("{dos}", "{dose}"),
        ("E", "[iU]"),
        ("IE", "[iU]"),
        ("st.", "{piece}"),
        ("U", None),
        ("matsked", None),
    ],
)
def test_units_are_read_from_the_words_of_sources(word: str, code: str | None) -> None:
    """A known word gives its UCUM code; an unknown or ambiguous one gives none."""
    assert ucum(word) == code


def test_an_unknown_unit_keeps_its_word() -> None:
    """An amount in a unit that no row names is not lost."""
    assert quantity(Decimal("2.5"), "matsked") == Quantity(value=Decimal("2.5"), unit="matsked")


def test_no_ucum_code_has_two_meanings() -> None:
    """Each UCUM code stands for itself among the words."""
    for code in set(UNITS.values()):
        assert UNITS[tables.fold(code)] == code


def test_routes_are_found_by_each_of_their_codes() -> None:
    """Oral is oral as an HL7 code, as a SNOMED CT concept and as a Swedish word."""
    assert route_from_hl7("PO") == route_from_snomed("26643006") == route_from_word("Oralt") == "oral"
    assert route_from_hl7("XX") is None


def test_forms_are_found_by_swedish_word_and_by_slug() -> None:
    """A depot tablet is never taken for a tablet."""
    assert form_from_word("Depottablett") == "prolonged-release-tablet"
    assert form_from_word("prolonged-release-tablet") == "prolonged-release-tablet"
    assert FORMS["prolonged-release-tablet"].group != FORMS["tablet"].group
    assert form_from_word("okänd") is None


def test_atc_codes_have_their_shape() -> None:
    """Every ATC code of the tables passes the shape check that messages go through."""
    assert all(is_atc(code) for code in SUBSTANCES)
    assert not is_atc("C07AB2")
    assert not is_atc("c07ab02")


def test_substances_are_found_by_swedish_name() -> None:
    """The Swedish name of a substance leads to its INN; a combination is no single substance."""
    assert substance_from_word("Levotyroxinnatrium") == "levothyroxine sodium"
    assert substance_from_word("kodein och paracetamol") is None


def test_hl7_tables_are_loaded() -> None:
    """Order control, status, patterns and completion lead to the published language's words."""
    assert ORDER_CONTROL["DC"].status == "stopped"
    assert ORDER_CONTROL["CA"].status == "cancelled"
    assert ORDER_CONTROL["HD"].status == "on-hold"
    assert ORDER_STATUS["CM"].status == "completed"
    assert REPEAT_PATTERNS["ONCE"].once
    assert REPEAT_PATTERNS["BID"].frequency == 2
    assert COMPLETION["RE"].outcome == "refused"
    assert PATIENT_CLASS["I"].encounter_class == "inpatient"


def test_a_table_that_gives_a_word_two_meanings_is_refused() -> None:
    """A contradiction in a committed table stops the program at start-up."""
    with pytest.raises(tables.TableError, match="two meanings"):
        tables.index("example", [("tablett", "{tablet}"), ("tablett", "{capsule}")])


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("NPL", NPL_ID),
        ("1.2.752.129.2.1.5.1", NPL_ID),
        ("urn:oid:1.2.752.129.2.1.5.1", NPL_ID),
        (NPL_ID, NPL_ID),
        ("wc", ATC),
        ("1.2.752.129.2.1.4.1", HSA_ID),
        ("1.2.3.4", "urn:oid:1.2.3.4"),
        ("https://vendor.example/codes", "https://vendor.example/codes"),
        ("99LOKAL", None),
    ],
)
def test_coding_systems_are_found_by_name_oid_and_uri(name: str, system: str | None) -> None:
    """However a source states a system, the fact carries one; a local table has none."""
    assert system_from_name(name) == system


def test_the_coding_systems_are_those_of_the_published_language() -> None:
    """Every system that the table gives and the contracts name is spelled alike."""
    named = {GLN, HSA_ID, NPL_ID, NPL_PACK_ID, ARTICLE_NUMBER, ATC, SNOMED_CT, UCUM, PRESCRIBER_CODE, WORKPLACE_CODE}

    assert named | {NLL_PRESCRIPTION, NLL_DISPENSE, NLL_CHAIN} <= {
        row["system"] for row in tables.read_table("coding_systems")
    }
