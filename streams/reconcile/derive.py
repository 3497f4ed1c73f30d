"""The list as a function of the set of facts, the two times, the rules and the product knowledge."""

from collections.abc import Iterable
from datetime import datetime

from contracts.fact import Fact
from contracts.medication_list import MedicationList
from streams.reconcile.patient import Patient
from streams.reconcile.policy import Rules
from streams.reconcile.products import ProductKnowledge
from streams.reconcile.profile import Profiler


class Reconciler:
    """Rules and product knowledge, bound once; ``derive`` is a pure function of the rest."""

    def __init__(self, rules: Rules, knowledge: ProductKnowledge) -> None:
        self.rules = rules
        self._profile = Profiler(knowledge, rules.form_group)

    def patient(self, name: str) -> Patient:
        """Return an empty patient, to which facts can be added bit by bit."""
        return Patient(name, self.rules, self._profile)

    def derive(
        self, patient: str, facts: Iterable[Fact], valid_at: datetime, known_at: datetime | None = None
    ) -> MedicationList:
        """Return the list as of ``valid_at``, from the facts received by ``known_at`` (``None``: all), every fact named."""
        empty = self.patient(patient)
        empty.add(fact for fact in facts if known_at is None or fact.received_at <= known_at)
        return empty.list_at(valid_at, every_fact=True)
