"""How long to wait before trying again: exponential with full jitter, and never shorter than the endpoint asked for.

Full jitter (any wait between nothing and the ceiling) spreads the clients that failed together. The random number comes
in as data.
"""

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """The ceiling begins at ``first_seconds`` and doubles up to ``most_seconds``."""

    first_seconds: float = 0.5
    most_seconds: float = 300.0

    def wait_seconds(self, failures: int, chance: float, retry_after_seconds: float | None) -> float:
        """Return the wait after so many failures in a row (1 or more); ``chance`` is from 0 to 1.

        A wait that the endpoint asked for is the least, and is not cut.
        """
        doublings = min(max(failures - 1, 0), 40)
        ceiling = min(self.first_seconds * 2.0**doublings, self.most_seconds)
        return (retry_after_seconds or 0.0) + chance * ceiling
