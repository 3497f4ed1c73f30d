"""What people in this world are treated with: a drug as it is taken, with its products, doses and times."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from mappings.codes.products import PRODUCTS, ProductRow

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Use = Literal["chronic", "short", "as-needed", "ward", "story"]


class Therapy(msgspec.Struct, frozen=True, kw_only=True):
    """One drug in one form for one purpose.

    ``units``: the amounts per intake among which doses are chosen and changed, in dose units. ``clocks``: intakes of a
    day. ``days``: the length of a short treatment. ``story`` therapies are used by particular stories alone.
    ``pouch``: can be packed in dose pouches.
    """

    name: str
    atc: str
    form: str
    use: Use
    units: tuple[str, ...]
    clocks: tuple[str, ...] = ()
    days: int | None = None
    weekdays: tuple[Weekday, ...] = ()
    cycle: tuple[int, int] | None = None
    most_per_day: str | None = None
    pouch: bool = False
    purpose: str = ""

    def products(self) -> tuple[ProductRow, ...]:
        """Return every product of the drug in this form, in the order of the table."""
        return _PRODUCTS[self.atc, self.form]

    def alternatives(self, product: ProductRow) -> tuple[ProductRow, ...]:
        """Return the other products that may be exchanged for ``product`` (same substitution group)."""
        if product.substitution_group is None:
            return ()
        return tuple(
            other
            for other in PRODUCTS.values()
            if other.substitution_group == product.substitution_group and other.npl_id != product.npl_id
        )

    def strengths(self) -> tuple[ProductRow, ...]:
        """Return one product per strength, in the order of the table."""
        first: dict[str, ProductRow] = {}
        for product in self.products():
            first.setdefault(str(product.ingredients), product)
        return tuple(first.values())


def amount(text: str) -> Decimal:
    """Return an exact amount."""
    return Decimal(text)


def _by_drug() -> dict[tuple[str, str], tuple[ProductRow, ...]]:
    found: dict[tuple[str, str], tuple[ProductRow, ...]] = {}
    for product in PRODUCTS.values():
        key = product.atc, product.form
        found[key] = (*found.get(key, ()), product)
    return found


_PRODUCTS: Final = _by_drug()
_TABLET = "tablet"
_FILM = "film-coated-tablet"
_DEPOT = "prolonged-release-tablet"


def _daily(name: str, drug: tuple[str, str], units: tuple[str, ...], clocks: tuple[str, ...], purpose: str) -> Therapy:
    return Therapy(
        name=name, atc=drug[0], form=drug[1], use="chronic", units=units, clocks=clocks, pouch=True, purpose=purpose
    )


_MORNING = ("08:00",)
_EVENING = ("20:00",)
_TWICE = ("08:00", "20:00")
_THRICE = ("08:00", "14:00", "20:00")

_CHRONIC = (
    _daily("metoprolol depot", ("C07AB02", _DEPOT), ("1", "2"), _MORNING, "mot högt blodtryck"),
    _daily("apixaban", ("B01AF02", _FILM), ("1",), _TWICE, "mot blodpropp"),
    _daily("acetylsalicylic acid 75", ("B01AC06", _TABLET), ("1",), _MORNING, "mot blodpropp"),
    _daily("clopidogrel", ("B01AC04", _FILM), ("1",), _MORNING, "mot blodpropp"),
    _daily("enalapril", ("C09AA02", _TABLET), ("1", "2"), _MORNING, "mot högt blodtryck"),
    _daily("losartan", ("C09CA01", _FILM), ("1", "2"), _MORNING, "mot högt blodtryck"),
    _daily("candesartan", ("C09CA06", _TABLET), ("1", "2"), _MORNING, "mot högt blodtryck"),
    _daily("amlodipine", ("C08CA01", _TABLET), ("1", "2"), _MORNING, "mot högt blodtryck"),
    _daily("furosemide", ("C03CA01", _TABLET), ("1", "2"), ("08:00", "14:00"), "vätskedrivande"),
    _daily("spironolactone", ("C03DA01", _FILM), ("1", "2"), _MORNING, "mot hjärtsvikt"),
    _daily("bisoprolol", ("C07AB07", _FILM), ("0.5", "1", "2"), _MORNING, "mot hjärtsvikt"),
    _daily("atorvastatin", ("C10AA05", _FILM), ("1", "2"), _EVENING, "mot höga blodfetter"),
    _daily("simvastatin", ("C10AA01", _FILM), ("1", "2"), _EVENING, "mot höga blodfetter"),
    _daily("omeprazole", ("A02BC01", "gastro-resistant-capsule"), ("1", "2"), _MORNING, "mot sur mage"),
    _daily("metformin", ("A10BA02", _FILM), ("1", "2"), _TWICE, "mot diabetes"),
    _daily("sertraline", ("N06AB06", _FILM), ("1", "2"), _MORNING, "mot depression"),
    _daily("mirtazapine", ("N06AX11", "orodispersible-tablet"), ("1", "2"), ("21:00",), "mot depression"),
    _daily("levodopa", ("N04BA02", "hard-capsule"), ("1", "2"), _THRICE, "mot Parkinsons sjukdom"),
    _daily("cyanocobalamin", ("B03BA01", _FILM), ("1", "2"), _MORNING, "mot B12-brist"),
    _daily("calcium", ("A12AX", "chewable-tablet"), ("1",), _TWICE, "mot benskörhet"),
    Therapy(name="insulin glargine", atc="A10AE04", form="solution-for-injection-prefilled-pen", use="chronic",
            units=("14", "18", "22"), clocks=("21:00",), purpose="mot diabetes"),
    Therapy(name="latanoprost", atc="S01EE01", form="eye-drops", use="chronic", units=("1",), clocks=_EVENING,
            purpose="mot grön starr"),
    Therapy(name="budesonide and formoterol", atc="R03AK07", form="inhalation-powder", use="chronic",
            units=("1", "2"), clocks=_TWICE, purpose="mot astma"),
    Therapy(name="alendronic acid", atc="M05BA04", form=_TABLET, use="chronic", units=("1",), clocks=("07:00",),
            weekdays=("mon",), purpose="mot benskörhet"),
    Therapy(name="methotrexate", atc="L04AX03", form=_TABLET, use="chronic", units=("4", "6"), clocks=_MORNING,
            weekdays=("tue",), purpose="mot ledgångsreumatism"),
    Therapy(name="folic acid", atc="B03BB01", form=_TABLET, use="chronic", units=("1",), clocks=_MORNING,
            cycle=(7, 5), purpose="vid metotrexatbehandling"),
)  # fmt: skip

_OTHER = (
    Therapy(name="paracetamol", atc="N02BE01", form=_FILM, use="as-needed", units=("1", "2"), most_per_day="8",
            purpose="mot smärta"),
    Therapy(name="zopiclone", atc="N05CF01", form=_FILM, use="as-needed", units=("1",), most_per_day="1",
            purpose="mot sömnsvårigheter"),
    Therapy(name="oxazepam", atc="N05BA04", form=_TABLET, use="as-needed", units=("0.5", "1"), most_per_day="3",
            purpose="mot oro"),
    Therapy(name="terbutaline", atc="R03AC03", form="inhalation-powder", use="as-needed", units=("1", "2"),
            most_per_day="12", purpose="mot astma"),
    Therapy(name="lactulose", atc="A06AD11", form="oral-solution", use="as-needed", units=("15", "30"),
            most_per_day="60", purpose="mot förstoppning"),
    Therapy(name="macrogol", atc="A06AD65", form="powder-for-oral-solution", use="as-needed", units=("1",),
            most_per_day="3", purpose="mot förstoppning"),
    Therapy(name="phenoxymethylpenicillin", atc="J01CE02", form=_FILM, use="short", units=("1",), clocks=_THRICE,
            days=10, purpose="mot infektion"),
    Therapy(name="flucloxacillin", atc="J01CF05", form=_FILM, use="short", units=("1",), clocks=_THRICE, days=7,
            purpose="mot hudinfektion"),
    Therapy(name="pivmecillinam", atc="J01CA08", form=_FILM, use="short", units=("1",), clocks=_THRICE, days=5,
            purpose="mot urinvägsinfektion"),
    Therapy(name="amoxicillin and clavulanic acid", atc="J01CR02", form=_FILM, use="short", units=("1",),
            clocks=_THRICE, days=7, purpose="mot infektion"),
    Therapy(name="dalteparin", atc="B01AB04", form="solution-for-injection-prefilled-syringe", use="ward",
            units=("1",), clocks=_EVENING, purpose="mot blodpropp"),
    Therapy(name="cefotaxime", atc="J01DD01", form="powder-for-solution-for-injection", use="ward", units=("1",),
            clocks=("06:00", "14:00", "22:00"), purpose="mot infektion"),
    Therapy(name="piperacillin and tazobactam", atc="J01CR05", form="powder-for-solution-for-infusion", use="ward",
            units=("1",), clocks=("06:00", "14:00", "22:00"), purpose="mot infektion"),
    Therapy(name="paracetamol intravenous", atc="N02BE01", form="solution-for-infusion", use="ward", units=("100",),
            clocks=("06:00", "12:00", "18:00", "23:00"), purpose="mot smärta"),
    Therapy(name="furosemide intravenous", atc="C03CA01", form="solution-for-injection", use="story", units=("4",),
            clocks=("08:00", "14:00"), purpose="vätskedrivande"),
    Therapy(name="acetylsalicylic acid 500", atc="N02BA01", form=_TABLET, use="story", units=("1", "2"),
            most_per_day="6", purpose="mot smärta"),
    Therapy(name="ibuprofen", atc="M01AE01", form=_FILM, use="story", units=("1",), most_per_day="3",
            purpose="mot smärta"),
    Therapy(name="prednisolone", atc="H02AB06", form=_TABLET, use="story", units=("6", "4", "2", "1"),
            clocks=_MORNING, purpose="mot inflammation"),
    Therapy(name="warfarin", atc="B01AA03", form=_TABLET, use="story", units=("1", "2"), clocks=("18:00",),
            purpose="mot blodpropp"),
    Therapy(name="levothyroxine", atc="H03AA01", form=_TABLET, use="story", units=("1",), clocks=_MORNING,
            purpose="mot låg ämnesomsättning"),
    Therapy(name="paracetamol oral solution", atc="N02BE01", form="oral-solution", use="story", units=("40",),
            clocks=_THRICE, purpose="mot smärta"),
    Therapy(name="enalapril and hydrochlorothiazide", atc="C09BA02", form=_TABLET, use="story", units=("1",),
            clocks=_MORNING, purpose="mot högt blodtryck"),
    Therapy(name="metoprolol", atc="C07AB02", form=_TABLET, use="story", units=("1",), clocks=_TWICE,
            purpose="mot högt blodtryck"),
    Therapy(name="oxycodone depot", atc="N02AA05", form=_DEPOT, use="story", units=("1", "2"), clocks=_TWICE,
            purpose="mot svår smärta"),
    Therapy(name="oxycodone", atc="N02AA05", form="hard-capsule", use="story", units=("1",), most_per_day="4",
            purpose="mot genombrottssmärta"),
    Therapy(name="paracetamol regularly", atc="N02BE01", form=_FILM, use="story", units=("2",), clocks=_THRICE,
            purpose="mot smärta"),
)  # fmt: skip

THERAPIES: Final[Mapping[str, Therapy]] = MappingProxyType({therapy.name: therapy for therapy in (*_CHRONIC, *_OTHER)})
"""Name -> therapy."""

BY_USE: Final[Mapping[Use, tuple[Therapy, ...]]] = MappingProxyType(
    {
        use: tuple(therapy for therapy in THERAPIES.values() if therapy.use == use)
        for use in ("chronic", "short", "as-needed", "ward", "story")
    }
)
"""Use -> therapies."""
