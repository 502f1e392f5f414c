"""The addresses that `make up` prints can be copied, whatever the ports."""

import re
from types import SimpleNamespace

import pytest

from devtools.stack.__main__ import table


@pytest.mark.parametrize("port", [80, 8000, 65535])
def test_every_address_ends_with_a_space(port):
    url = f"http://127.0.0.1:{port}"
    stack = SimpleNamespace(
        site_url=url, simulator_url=url, flower_url=url, admin_password="secret", flower_password="secret"
    )
    printed = re.findall(r"http://\S+", table(stack))
    assert len(printed) == 5
    assert all(address.endswith("/") for address in printed)
