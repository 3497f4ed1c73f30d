"""How many examples a property is tried on where the profile's own number is too few."""

from hypothesis import settings


def examples(times: int) -> int:
    """So many times the examples of the profile (`tests/conftest.py`): `HYPOTHESIS_PROFILE=long` multiplies these, too."""
    profile = settings.default
    assert profile is not None
    return profile.max_examples * times
