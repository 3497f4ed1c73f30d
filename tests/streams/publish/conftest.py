"""The sandbox as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.streams.publish.cases import There, sandbox


@pytest.fixture
async def there() -> AsyncIterator[There]:
    """A running sandbox, empty."""
    async with sandbox() as running:
        yield running
