"""The connection pool that processes use."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection

from config import connections

Pooled = Callable[..., Any]


@pytest.fixture
def pooled() -> Iterator[Pooled]:
    """Yield a function that connects as web processes and workers do; it takes what `config.connections.pool` takes."""
    wrapper: Any = connection
    options = connection.settings_dict["OPTIONS"]
    with ExitStack() as stack:

        def use(*, size: int = 20, statement_s: float = 10.0) -> Any:
            wrapper.close()
            options["pool"] = connections.pool(size=size, statement_s=statement_s)
            stack.callback(options.pop, "pool")
            stack.callback(wrapper.close_pool)
            stack.callback(wrapper.close)
            return wrapper.pool

        yield use
