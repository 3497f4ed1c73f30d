"""The administrations of a record: ``AdministrationType``. Only what took place stands in them (TKB)."""

from contracts.fact import Fact, Origin, make_fact
from contracts.facts.administration import Administration
from contracts.values import Dosage, Quantity
from mappings.sources.primary_care.dosage import read_dosage
from mappings.sources.primary_care.drugs import read_medication, read_route
from mappings.sources.primary_care.identities import acting, read_ii, read_professional
from mappings.sources.primary_care.records import Header, Treatment, read_recorded, route_of
from mappings.sources.primary_care.xml_input import Element
from mappings.sources.reading import Context


def administration_id(element: Element, context: Context) -> str | None:
    """Return the source id of an administration."""
    identifier = read_ii(element.child("administrationId", required=True), context.source.id)
    return None if identifier is None else identifier.value


def read_administration(
    element: Element, header: Header | None, treatment: Treatment | None, context: Context
) -> Fact | None:
    """Return one administration, if everything in it can be read; it belongs to the order of its record."""
    source_id = administration_id(element, context)
    time = element.child("administrationTime", required=True)
    given_at = None if time is None else time.instant("start", context.source.zone, required=True)
    professional = element.child("administeringHealthcareProfessional", required=True)
    recorded_at, performer = read_recorded(professional, context), read_professional(professional)
    drug = element.child("drug")
    medication = treatment.medication if drug is None and treatment else drug and read_medication(drug)
    dosage = read_dosage(drug, None if time is None else time.local_time("start"))
    route = read_route(element.child("routeOfAdministration")) or route_of(drug)
    if header is None or treatment is None or source_id is None or given_at is None or recorded_at is None:
        return None
    if not medication:
        return None
    content = Administration(
        person=header.person,
        medication=medication,
        route=route or treatment.route,
        references=(treatment.order_in(context.source.id),),
        status="completed",
        outcome="given",
        setting="outpatient",
        dose=_dose(dosage),
        performer=acting(performer, header.accountable),
    )
    return make_fact(
        Origin(
            source=context.source.id,
            source_id=source_id,
            patient=context.pseudonym(header.person),
            occurred_at=given_at,
            recorded_at=recorded_at,
        ),
        content,
        context.received_at,
    )


def _dose(dosage: Dosage) -> Quantity | None:
    """Return the dose that was given: the one dose of a dosage that says no more than that."""
    if len(dosage.steps) != 1 or dosage.steps[0].dose_high is not None:
        return None
    return dosage.steps[0].dose
