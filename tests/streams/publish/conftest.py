"""The sandbox as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.streams.publish.cases import There, sandbox
from tests.streams.publish.door import Door


@pytest.fixture
async def there() -> AsyncIterator[There]:
    """A running sandbox, empty."""
    async with sandbox() as running:
        yield running


@pytest.fixture
async def door(there: There) -> AsyncIterator[Door]:
    """A door before the sandbox, open."""
    async with Door(there.session, there.base).open() as opened:
        yield opened
