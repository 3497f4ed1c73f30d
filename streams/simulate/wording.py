"""How each system writes a drug: which ids and words it has, and what is missing from them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from contracts.values import Identifier, Medication
from mappings.codes.products import ProductRow
from streams.simulate.book import Book
from streams.simulate.courses import Course

_HOSPITAL_CODES: Final = "urn:medlist:simulated:hospital-drug"
_MUNICIPAL_CODES: Final = "urn:medlist:simulated:municipal-drug"


def medication(book: Book, course: Course, product: ProductRow, writer: str) -> Medication:
    """Return the drug as ``writer`` writes it: a source, or ``ward`` for the hospital's wards.

    A course with local codes is written by the hospital with a code that no table knows, and, every second time, with
    nothing more than its name. A course with missing ids is written without product ids by the municipality and on
    every fourth prescription.
    """
    if writer in course.text_in:
        return Medication(kind="free-text", text=f"{product.name}, enligt tidigare")
    if "local-code" in course.kinds and writer in {"hospital", "ward"}:
        return _local(course, product)
    if "missing-ids" in course.kinds and (writer == "municipal" or book.chance(0.25)):
        return _described(product)
    return _WRITERS[writer](product)


def package(product: ProductRow) -> str:
    """Return a package id of a product; synthetic, as the product ids are."""
    return product.npl_id[:-1] + "1"


def _hospital(product: ProductRow) -> Medication:
    return Medication(
        kind="registered",
        text=product.name,
        npl_id=product.npl_id,
        atc=product.atc,
        ingredients=product.ingredients,
        form=product.form,
        local_codes=(Identifier(system=_HOSPITAL_CODES, value=f"L{product.npl_id[-4:]}"),),
    )


def _primary_care(product: ProductRow) -> Medication:
    return Medication(
        kind="registered",
        text=product.name,
        npl_id=product.npl_id,
        npl_pack_id=package(product),
        atc=product.atc,
        form=product.form,
    )


def _municipal(product: ProductRow) -> Medication:
    return Medication(
        kind="registered",
        text=product.name,
        npl_id=product.npl_id,
        local_codes=(Identifier(system=_MUNICIPAL_CODES, value=f"M{product.npl_id[-4:]}"),),
    )


def _package(product: ProductRow) -> Medication:
    return Medication(
        kind="registered", text=product.name, npl_id=product.npl_id, npl_pack_id=package(product), atc=product.atc
    )


def _told(product: ProductRow) -> Medication:
    return Medication(kind="registered", text=product.name, npl_id=product.npl_id, form=product.form)


def _described(product: ProductRow) -> Medication:
    return Medication(
        kind="registered",
        text=product.name,
        atc=product.atc,
        ingredients=product.ingredients,
        form=product.form,
    )


def _local(course: Course, product: ProductRow) -> Medication:
    code = (Identifier(system=_HOSPITAL_CODES, value=f"Z{product.npl_id[-4:]}"),)
    if int(course.id[1:]) % 2:
        return Medication(kind="registered", text=product.name, local_codes=code)
    return Medication(
        kind="registered",
        text=product.name,
        local_codes=code,
        atc=product.atc,
        ingredients=product.ingredients,
        form=product.form,
    )


_WRITERS: Final[Mapping[str, Callable[[ProductRow], Medication]]] = MappingProxyType(
    {
        "hospital": _hospital,
        "ward": _hospital,
        "primary-care": _primary_care,
        "municipal": _municipal,
        "dose-pharmacy": _package,
        "pharmacy": _package,
        "told": _told,
    }
)
