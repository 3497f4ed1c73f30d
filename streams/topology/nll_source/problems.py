"""Why reading NLL stops: codes, what each means for whoever is called, and the exit status."""

from streams.topology.problems import OPERATOR_STATUS, RESTART_STATUS, StopCode, StopError


class NllSourceCode(StopCode):
    """One reason to stop each, with the exit status and what to do. A code is never reused."""

    NO_SOURCE = (
        "NLS-001",
        OPERATOR_STATUS,
        "Add a source with reader nll to MEDLIST_SOURCES_FILE, as in contracts/sources.py.",
    )
    SEND_FAILED = ("NLS-002", RESTART_STATUS, "Check the broker, its disk, and the rights to write the input topic.")
    LIST_UNREADABLE = (
        "NLS-003",
        OPERATOR_STATUS,
        "Something else than the reconciler writes to the list topic, or an older version does. Stop it.",
    )
    PUBLICATION_UNREADABLE = (
        "NLS-004",
        OPERATOR_STATUS,
        "Something else than the publisher writes to the publish topic, or a newer version does. Stop it, or upgrade.",
    )


class NllSourceError(StopError):
    """The process must stop."""
