"""Why the publisher stops: codes, what each means for whoever is called, and the exit status."""

from streams.topology.problems import OPERATOR_STATUS, RESTART_STATUS, StopCode, StopError


class PublisherCode(StopCode):
    """One reason to stop each, with the exit status and what to do. A code is never reused."""

    NO_BROKER = ("PBS-001", RESTART_STATUS, "Check MEDLIST_KAFKA, the network, and the rights of this user.")
    TOPICS_MISSING = ("PBS-002", OPERATOR_STATUS, "Run `medlist topics --apply`.")
    POSITION_LOST = (
        "PBS-003",
        OPERATOR_STATUS,
        "The list topic was made anew. Delete the group's offsets: the publisher then reads every list from the beginning.",
    )
    READ_FAILED = ("PBS-004", RESTART_STATUS, "Check the broker and the rights to read the list topic and the group.")
    SEND_FAILED = ("PBS-005", RESTART_STATUS, "Check the broker, its disk, and the rights to write the publish topic.")
    COMMIT_FAILED = ("PBS-006", RESTART_STATUS, "Check the broker and the rights of the group.")
    LIST_UNREADABLE = (
        "PBS-007",
        OPERATOR_STATUS,
        "Something else than the reconciler writes to the list topic, or an older version does. Stop it.",
    )
    STALLED = (
        "PBS-008",
        RESTART_STATUS,
        "The loop did not turn. If it comes again, look at the broker and the machine.",
    )


class PublisherError(StopError):
    """The publisher must stop."""
