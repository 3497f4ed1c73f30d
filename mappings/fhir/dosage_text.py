"""Doseringsanvisning: what the patient reads, in the four blocks of NLL's application note 21 (``nll-reference`` 3.3).

In order: dosage instruction (doseringsinstruktion), administering instruction (administreringsinstruktion), purpose of
the treatment (behandlingsändamål), other instruction (annan instruktion). The blocks keep the words of their source: nothing
is worded anew, a block that is not there is left out, and each ends with a full stop.
"""

from typing import Final

import msgspec

from contracts.facts.prescribing import Prescription

_SENTENCE_ENDS: Final = (".", "!", "?")


class DosageText(msgspec.Struct, frozen=True, kw_only=True):
    """The four blocks."""

    purpose: str | None = None
    instruction: str | None = None
    administering: str | None = None
    other: str | None = None

    def whole(self) -> str | None:
        """Return all blocks as one text, ``None`` when there are none."""
        blocks = (self.instruction, self.administering, self.purpose, self.other)
        sentences = [_sentence(block.strip()) for block in blocks if block is not None and block.strip()]
        return " ".join(sentences) or None


def dosage_text(content: Prescription) -> DosageText:
    """Return the blocks of a prescription; steps' own words stand in where the dosage has no text of its own.

    The note of a prescription is not among them: sources write to each other there, not to the patient.
    """
    words = [step.text for step in content.dosage.steps if step.text is not None]
    return DosageText(
        purpose=content.purpose,
        instruction=content.dosage.text or (", ".join(words) or None),
    )


def _sentence(block: str) -> str:
    capital = block[0].upper() + block[1:]
    return capital if capital.endswith(_SENTENCE_ENDS) else f"{capital}."
