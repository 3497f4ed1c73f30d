"""`python -m tests.prepared`: fetch and build what the integration tests run on, where no test's time limit applies.

What cannot be had is told. That is an error in CI (`CI` is set); on a laptop the tests that need it are skipped.
"""

import os
import sys
from collections.abc import Callable

from tests.fhir_validator.built import ValidatorUnavailableError, command
from tests.fhir_validator.validator import DEFINITIONS
from tests.kafka.libraries import BrokerUnavailableError, java, kafka_libraries, kafka_version


def _kafka() -> None:
    java()
    kafka_libraries(kafka_version())


def _validator() -> None:
    command(DEFINITIONS)


PARTS: dict[str, Callable[[], None]] = {"Kafka": _kafka, "the FHIR validator": _validator}


def main() -> int:
    """Prepare every part; returns the exit status."""
    missing = 0
    for name, prepare in PARTS.items():
        try:
            prepare()
        except (BrokerUnavailableError, ValidatorUnavailableError) as unavailable:
            missing += 1
            sys.stderr.write(f"{name} is not to be had: {unavailable}\n")
    return 1 if missing and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
