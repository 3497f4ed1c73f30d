"""Source systems: who may say something, on which topic, in which shape, under which local conventions."""

from typing import Final, Literal

import msgspec

from contracts.topics import FORWARD, input_topic

EndDateMeaning = Literal["last-day-taken", "first-day-not-taken"]


class SourceSystem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source system.

    ``reader`` names the mapping (``mappings.sources``); ``zone`` is the IANA zone of its times without one;
    ``end_date`` is what its end dates mean; ``publishes_itself`` is true when it registers its own prescriptions in NLL
    (then they are never created a second time from here).
    """

    id: str
    reader: str
    topic: str
    zone: str
    end_date: EndDateMeaning
    publishes_itself: bool = False


FORWARD_SOURCE: Final = SourceSystem(
    id="forward",
    reader="forwarded",
    topic=FORWARD,
    zone="Europe/Stockholm",
    end_date="first-day-not-taken",
)
"""Our own, in every region: facts that the reconciler sends to the patient whom a link says they also concern."""

NLL_SOURCE: Final = SourceSystem(
    id="nll",
    reader="nll",
    topic=input_topic("nll", "prescription"),
    zone="Europe/Stockholm",
    end_date="last-day-taken",
    publishes_itself=True,
)
"""What others have registered in Nationella läkemedelslistan, as ``medlist run nll-source`` reads it there."""

DEFAULT_SOURCES: Final[tuple[SourceSystem, ...]] = (
    SourceSystem(
        id="hospital",
        reader="hospital",
        topic=input_topic("hospital", "medication"),
        zone="Europe/Stockholm",
        end_date="first-day-not-taken",
    ),
    SourceSystem(
        id="primary-care",
        reader="primary_care",
        topic=input_topic("primary-care", "medication"),
        zone="Europe/Stockholm",
        end_date="last-day-taken",
    ),
    SourceSystem(
        id="municipal",
        reader="municipal",
        topic=input_topic("municipal", "administration"),
        zone="Europe/Stockholm",
        end_date="last-day-taken",
    ),
    SourceSystem(
        id="dose-pharmacy",
        reader="dose_pharmacy",
        topic=input_topic("dose-pharmacy", "dispensing"),
        zone="Europe/Stockholm",
        end_date="last-day-taken",
    ),
    SourceSystem(
        id="pharmacy",
        reader="pharmacy",
        topic=input_topic("pharmacy", "dispense"),
        zone="Europe/Stockholm",
        end_date="last-day-taken",
    ),
    NLL_SOURCE,
    SourceSystem(
        id="medlist",
        reader="canonical",
        topic=input_topic("medlist", "fact"),
        zone="Europe/Stockholm",
        end_date="first-day-not-taken",
    ),
    FORWARD_SOURCE,
)
"""The sources of a laptop, the demo and the tests; a region mounts its own file (``MEDLIST_SOURCES_FILE``)."""
