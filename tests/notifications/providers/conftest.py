"""What the providers' tests share: a running simulator and an authority for certificates."""

from functools import cache

import pytest
import trustme
from botocore.loaders import JSONFileLoader

from tests.simulated import simulator


@pytest.fixture(scope="package")
def running(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("simulator")) as server:
        yield server


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="package", autouse=True)
def aws_described_once():
    """boto3 reads its description of AWS anew for every client of these tests, which is most of their time."""
    patch = pytest.MonkeyPatch()
    patch.setattr(JSONFileLoader, "load_file", staticmethod(cache(JSONFileLoader().load_file)))
    yield
    patch.undo()
