"""Prescriptions, lists and a sandbox for the publisher's tests: made-up drugs of the sandbox's register, a test person."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid5

import aiohttp
import msgspec

from connectors.nll.client import Endpoint, NllClient
from connectors.nll.requests import Identity
from connectors.nll.tokens import FixedToken
from contracts.facts.prescribing import Prescription
from contracts.medication_list import ListItem, MedicationList, StandingPrescription, Withdrawn
from contracts.systems import PERSONNUMMER, PRESCRIBER_CODE
from contracts.values import Dosage, DosageStep, Identifier, Medication, Period, Practitioner, Quantity
from mappings.fhir.exact_json import JsonObject, read_json
from streams.publish.desired import desired
from streams.publish.execute import Executor, Job
from streams.publish.policy import Policy

TOKEN = "test-system"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PERSON = Identifier(system=PERSONNUMMER, value="191212121212")
PATIENT = "pseudonym-1"
POLICY = Policy(handling={"primary-care": "register", "hospital": "register", "nll": "link"})

METOPROLOL_50 = Medication(
    kind="registered",
    text="Metoprolol Syntet 50 mg depottablett",
    npl_id="20990102000011",
    npl_pack_id="20990102100018",
    atc="C07AB02",
    form="prolonged-release-tablet",
)
PARACETAMOL = Medication(
    kind="registered",
    text="Paracetamol Syntet 500 mg tablett",
    npl_id="20990106000017",
    npl_pack_id="20990106100014",
    atc="N02BE01",
    form="tablet",
)


def dosage(text: str = "1 tablett varje morgon", dose: str = "1") -> Dosage:
    """A daily dosage."""
    step = DosageStep(
        dose=Quantity(value=Decimal(dose), unit="{tablet}"), frequency=1, period=Decimal(1), period_unit="d"
    )
    return Dosage(text=text, steps=(step,))


def content(**more: Any) -> Prescription:
    """An active prescription of metoprolol, as primary care states it; ``more`` replaces fields."""
    usual: dict[str, Any] = {
        "person": PERSON,
        "medication": METOPROLOL_50,
        "route": "oral",
        "status": "active",
        "setting": "outpatient",
        "period": Period(start=datetime(2026, 3, 1, 23, tzinfo=UTC)),
        "dosage": dosage(),
        "purpose": "mot högt blodtryck",
        "prescriber": Practitioner(identifiers=(Identifier(system=PRESCRIBER_CODE, value="9000027"),), profession="LK"),
        "valid_until": date(2027, 3, 1),
        "dispenses_allowed": 4,
        "dose_dispensed": False,
        "workplace_code": "0700000001234",
    }
    return Prescription(**(usual | more))


def standing(
    name: str = "rx-1", state: str = "active", source: str = "primary-care", **more: Any
) -> StandingPrescription:
    """A standing prescription; ``name`` is the id that its source gave it."""
    return StandingPrescription(
        record=str(uuid5(UUID(int=1), f"{source}|{name}")),
        source=source,
        source_id=name,
        fact=f"fact-{name}",
        state=state,  # type: ignore[arg-type]
        content=content(**more),
        occurred_at=NOW,
        recorded_at=datetime(2026, 3, 2, 8, 30, tzinfo=UTC),
    )


def line(*prescriptions: StandingPrescription, **more: Any) -> ListItem:
    """A line of the list with these prescriptions."""
    first = prescriptions[0].record if prescriptions else "none"
    usual: dict[str, Any] = {
        "treatment": first,
        "strand": first,
        "state": "active",
        "layers": {},
        "because": {},
        "facts": tuple(one.fact for one in prescriptions),
        "prescriptions": prescriptions,
    }
    return ListItem(**(usual | more))


def the_list(*lines: ListItem, withdrawn: tuple[Withdrawn, ...] = (), **more: Any) -> MedicationList:
    """The list of the test person."""
    usual: dict[str, Any] = {
        "patient": PATIENT,
        "rules": "r1",
        "person": PERSON,
        "items": lines,
        "withdrawn": withdrawn,
    }
    return MedicationList(**(usual | more))


def job(medication_list: MedicationList, list_hash: str = "h1", **more: Any) -> Job:
    """The publisher's job for a list."""
    return Job(desired=desired(medication_list, POLICY), list_hash=list_hash, **({"certainty": "settled"} | more))


class There:
    """The endpoint as the tests look at it, beside the publisher's own client."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.base = base
        self.session = session

    def client(self, token: str = TOKEN, base: str | None = None, timeout_seconds: float = 5.0) -> NllClient:
        """A client as the publisher uses it; through another address for faults on the way."""
        identity = Identity(org_info="SE2321000065-K001", user_agent="medlist/test")
        endpoint = Endpoint(base_url=base or self.base, identity=identity, timeout_seconds=timeout_seconds)
        return NllClient(self.session, endpoint, FixedToken(token))

    def executor(self, now: Callable[[], datetime] = lambda: NOW, **more: Any) -> Executor:
        """An executor against the endpoint."""
        return Executor(self.client(**more), POLICY, now)

    async def prescriptions(self) -> list[JsonObject]:
        """Every prescription of the test person, oldest first."""
        async with self.session.get(
            f"{self.base}/MedicationRequest?patient=p-1", headers=READER | {"x-request-id": "look"}
        ) as answer:
            bundle = read_json(await answer.read())
        return [entry["resource"] for entry in bundle["entry"]]

    async def versions(self, name: str) -> int:
        """How many versions a prescription has."""
        async with self.session.get(
            f"{self.base}/MedicationRequest/{name}/_history", headers=READER | {"x-request-id": "look"}
        ) as answer:
            return len(read_json(await answer.read())["entry"])


READER = {
    "authorization": "Bearer test-prescriber",
    "accept": "application/fhir+json",
    "x-context-id": "tests",
    "x-org-info": "SE2321000065-K001",
    "x-user-agent": "tests/1",
    "x-purpose": "VARD",
    "x-access": "EGEN",
    "x-patientref": "p-1",
}


@asynccontextmanager
async def sandbox() -> AsyncIterator[There]:
    """A real sandbox server on a free port, its clock at ``NOW``."""
    from connectors.nll_sandbox import SandboxSettings, serve

    async with serve(SandboxSettings(clock=lambda: NOW)) as base, aiohttp.ClientSession() as session:
        yield There(session, base)


def replaced(prescription: StandingPrescription, **more: Any) -> StandingPrescription:
    """The same record with another content or state: a new version from its source."""
    state = more.pop("state", prescription.state)
    changed = msgspec.structs.replace(prescription.content, **more)
    return msgspec.structs.replace(prescription, content=changed, state=state)


def withdrawn(
    prescription: StandingPrescription,
    reason: Literal["retracted", "blocked"],
    over: Literal["ended", "cancelled"] | None = None,
) -> Withdrawn:
    """The withdrawal of a prescription; ``over``: what its source has done with it since."""
    return Withdrawn(
        record=prescription.record,
        source=prescription.source,
        source_id=prescription.source_id,
        reason=reason,
        because=("fact",),
        block="integrity" if reason == "blocked" else None,
        over=over,
    )
