"""What the fault tests share."""

from __future__ import annotations

import pytest

from tests.support.engine_kit import Shop
from tests.support.engine_promise import Promise


@pytest.fixture
def promise(shop: Shop) -> Promise:
    """Sends writes and holds the answers against what is there in the end; asked for before any engine."""
    return Promise(shop)
