"""Whose list: a patient as people name one, as the pseudonym that topics are keyed by."""

import os
import re
from datetime import date
from typing import Final

import click

from connectors.pseudonym import pseudonymiser
from connectors.settings import Settings, load_settings
from contracts.problems import Problem
from mappings.codes.persons import read_person

PSEUDONYM: Final = re.compile(r"[0-9a-f]{32}")
FROM_INPUT: Final = "-"


def settings_and_pseudonym(patient: str, system: str | None, today: date) -> tuple[Settings, str]:
    """Return the settings of this process, and the pseudonym of a patient.

    ``patient`` is a pseudonym, or a person number, for which the key of the pseudonyms is needed; ``-`` reads it from the
    standard input, so that no number stands in the list of processes and in a shell's history. ``system`` is the OID of a
    region's own numbers. Raises ``CodedError`` for settings that are missing, ``click.BadParameter`` for what is
    neither; never with the number in it.
    """
    named = click.get_text_stream("stdin").readline().strip() if patient == FROM_INPUT else patient
    if PSEUDONYM.fullmatch(named):
        return load_settings(os.environ, {"kafka"}), named
    person = read_person(named, system, "PATIENT", today)
    if isinstance(person, Problem):
        raise click.BadParameter(f"neither a pseudonym (32 hexadecimal digits) nor a person number: {person.text}")
    settings = load_settings(os.environ, {"kafka", "pseudonym_key"})
    return settings, pseudonymiser(settings.pseudonym_secret())(person)
