"""Kinds of mess: what may be wrong or hard about a simulated course of treatment.

The truth follows what the patient really takes, and what was really decided, whatever the messages say:

- One drug (same substances, same form, same route), taken as one course, is one treatment: through changes of dose and
  brand, through pauses and hospital stays, and however many systems write about it.
- A course that starts again at least two months after it ended is another treatment.
- Another form or route, another use (low-dose and analgesic acetylsalicylic acid) and a combination product in place of
  its single substance are other treatments.
- Two strengths that make up one dose (warfarin 2.5 mg and 5 mg) are one treatment with two lines.
- **Double prescription.** Two prescribers who do not know of each other prescribe the same drug in two systems, and the
  patient takes it once: one treatment (``double-prescription``). Two prescriptions in the same system, side by side, of
  which the patient takes both: two treatments (``double-taken``). A patient who takes two boxes of one drug from two
  *systems* is left out of this world: nothing in the messages could tell it from the first case.
- The same drug regularly and as needed, decided side by side, is two treatments (``regular-and-as-needed``).
- A treatment that nobody ever wrote a decision about (a dose from a standing directive) has the state ``unknown``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "plain": "Nothing is special about it.",
        "as-needed": "Taken when needed.",
        "brand-switch": "Another product of the same drug, prescribed, dispensed or used by the ward.",
        "cancelled": "Cancelled before it began.",
        "combination": "A single substance replaced by a combination product that contains it: two treatments.",
        "correction": "A source corrected what it had said, in a new version.",
        "cyclic": "Taken on some days of a week or of a cycle.",
        "directive": "Given from a standing directive: no order exists.",
        "discharge-change": "The hospital changed the dose or stopped it; the primary care's record followed weeks later.",
        "dose-change": "The dose changed.",
        "double-prescription": "Prescribed in two systems, taken as one course: one treatment.",
        "double-taken": "Prescribed twice in one system, both taken: two treatments.",
        "duplicate": "Messages arrived twice.",
        "form-switch": "Replaced by another form of the same substance: two treatments.",
        "free-text": "Written as free text somewhere.",
        "future-change": "A change of dose was recorded before it applied.",
        "hospital-started": "Began on a ward and went on at home.",
        "inpatient": "Went on, from the ward's own order, during a hospital stay.",
        "late-stop": "Its stop was registered weeks after the last dose.",
        "local-code": "Some source wrote it with a local product code that no table knows.",
        "missing-ids": "Some source wrote it without product ids, or without the reference that would tell its order.",
        "other-route": "Given by another route during a stay, beside the one at home: two treatments.",
        "over-the-counter": "Bought without prescription; known only from what the patient says.",
        "parallel-strengths": "Two strengths side by side make up the dose.",
        "pause": "Paused for a time.",
        "planned-start": "Decided some time before it began.",
        "prescription-left-open": "The order was stopped, the prescription was not.",
        "regular-and-as-needed": "The same drug regularly and as needed: two treatments.",
        "restart": "Ended and begun again after a gap: two treatments.",
        "retraction": "A record about it was taken back.",
        "silent-stop": "The patient stopped; only a later report tells it.",
        "tapering": "The dose goes down step by step, to an end that is known.",
        "two-uses": "A substance in two uses at once: two treatments.",
        "withheld": "Not given during a hospital stay, gone on with afterwards.",
        "wrong-order": "Messages arrived hours or days late.",
        "wrong-reference": "Administrations point to the order of another drug.",
    }
)
"""Kind -> what it means."""
