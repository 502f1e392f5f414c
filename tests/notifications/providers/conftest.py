"""What the providers' tests share: a running simulator and an authority for certificates."""

import pytest
import trustme

from tests.simulated import simulator


@pytest.fixture(scope="package")
def running(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("simulator")) as server:
        yield server


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()
