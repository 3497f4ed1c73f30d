"""The limit of everything that the listing does."""

import msgspec


class ListingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one listing process; times in seconds."""

    batch_messages: int = 200
    """Lists taken at once; of a patient's lists among them only the newest is translated."""
    idle_seconds: float = 0.2
    """How long to wait for a list; also how fast a stop is noticed."""
    transaction_seconds: float = 30.0
    """How long a broker may be away in the middle of a transaction before the process gives up and starts again."""
    checked_share: float = 0.001
    """The share of Bundles (0 to 1) that another FHIR implementation reads too: it costs a hundred times what making one does."""
