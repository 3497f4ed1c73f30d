"""Rules about dose patients: those with an active dose consent (dossamtycke)."""

from connectors.nll_sandbox.aff.case import Case, Places, bounds, dosages, dose_packaging
from connectors.nll_sandbox.kinds import basis_status, is_dose_basis, is_dose_consent
from connectors.nll_sandbox.resources import child, day, extension, extension_value, objects
from connectors.nll_sandbox.vocabulary import (
    BASIS_APPROVED,
    BASIS_DEREGISTERED,
    LATEST_TREATMENT_END,
    RECEIVING_PHARMACY,
)


def dose_patient_has_no_pharmacy(case: Case) -> Places:
    """G.024."""
    if case.dose_actor is not None and extension(case.resource, RECEIVING_PHARMACY):
        yield "extension"


def dose_patient_has_dose_type(case: Case) -> Places:
    """G.028."""
    if case.dose_actor is not None and dose_packaging(case.resource) is None:
        yield "dispenseRequest.extension"


def dose_prescription_has_end(case: Case) -> Places:
    """D.003."""
    if not dose_packaging(case.resource) or extension_value(case.resource, LATEST_TREATMENT_END):
        return
    for place, period in bounds(case.resource):
        if day(period.get("end")) is None:
            yield f"{place}.end"


def whole_package_has_maximum_dose(case: Case) -> Places:
    """H.010."""
    if case.dose_actor is None or dose_packaging(case.resource) is not False:
        return
    for place, dosage in dosages(case.resource):
        maximum = dosage.get("maxDosePerPeriod")
        if not any(child(one, "numerator") for one in [child(maximum), *objects(maximum)]):
            yield f"{place}.maxDosePerPeriod"


def deregistering_leaves_no_dose_prescription(case: Case) -> Places:
    """Code ``dose-prescription-active``."""
    if not case.has_active_dose_prescription:
        return
    if is_dose_consent(case.resource) and case.previous is not None and case.resource.get("status") != "active":
        yield "status"
    if is_dose_basis(case.resource) and basis_status(case.resource) == BASIS_DEREGISTERED:
        yield "extension"


def dose_basis_step_exists(case: Case) -> Places:
    """Code ``dose-basis-step``."""
    if not is_dose_basis(case.resource):
        return
    if case.previous is None:
        yield "code"
    elif case.role != "pharmacist" or basis_status(case.resource) not in {BASIS_APPROVED, BASIS_DEREGISTERED}:
        yield "extension"
