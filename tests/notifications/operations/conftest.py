from collections.abc import Iterator

import pytest

from tests.notifications.operations.dns_server import DnsServer, dns_server


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with dns_server() as running:
        yield running
