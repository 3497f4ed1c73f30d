"""Why the intake refuses to start or stops: codes, what to do, exit status. Texts name places and rules, never values."""

from streams.topology.problems import OPERATOR_STATUS, RESTART_STATUS, StopCode, StopError


class IntakeCode(StopCode):
    """One reason each, with the exit status and what to do. A code is never reused."""

    SOURCES_WRONG = (
        "ITK-001",
        OPERATOR_STATUS,
        "Correct the list of sources (`medlist config` shows where it is read from).",
    )
    TOPICS_MISSING = ("ITK-002", OPERATOR_STATUS, "Run `medlist topics --apply`.")
    NO_BROKER = (
        "ITK-003",
        RESTART_STATUS,
        "Check the address, the login and the brokers; `medlist doctor` tries them.",
    )
    READ_FAILED = ("ITK-004", RESTART_STATUS, "Check the broker, the topic and the right to read it.")
    POSITION_LOST = (
        "ITK-005",
        OPERATOR_STATUS,
        "The messages at our position are gone, or the topic was made anew: have them sent again, then set the group's offset.",
    )
    SEND_FAILED = (
        "ITK-006",
        RESTART_STATUS,
        "Nothing is lost. Check the broker, its disk, and `max.message.bytes` of the topic.",
    )
    COMMIT_FAILED = ("ITK-007", RESTART_STATUS, "Nothing is lost. Check the right to use the group.")
    STUCK = ("ITK-008", RESTART_STATUS, "The restart fetches anew. If it comes again, look at the brokers.")
    NOT_IN_QUARANTINE = (
        "ITK-009",
        OPERATOR_STATUS,
        "Check the ids, and that the number of partitions is that of the quarantine. Nothing was put back.",
    )
    NOT_A_VENDORS = (
        "ITK-010",
        OPERATOR_STATUS,
        "Find out who writes to that topic and stop it. Leave these ids out. Nothing was put back.",
    )


class IntakeError(StopError):
    """The intake cannot start or must stop."""
