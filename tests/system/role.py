"""One role as a process: `python -m tests.system.role ROLE`, with its settings in the environment, as in production."""

import os
import sys
from typing import get_args

from connectors.settings import load_settings
from connectors.telemetry import configure
from streams.command.composition import Composition, Role


def main() -> int:
    """Run the role until it is asked to stop; the exit status."""
    role = next(known for known in get_args(Role) if known == sys.argv[1])
    settings = load_settings(os.environ, {"kafka"})
    configure(settings.log_level)
    return Composition(settings=settings).run(role)


if __name__ == "__main__":
    sys.exit(main())
