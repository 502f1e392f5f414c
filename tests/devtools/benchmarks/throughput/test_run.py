"""Small runs with real servers and workers."""

import pytest

from devtools.benchmarks.throughput import provider
from devtools.benchmarks.throughput.mailroom import Mailroom
from devtools.benchmarks.throughput.measure import measure
from devtools.benchmarks.throughput.probes import growth
from devtools.benchmarks.throughput.probes.sizes import Sizes
from devtools.benchmarks.throughput.servers import Place

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
COUNT = 40
SIZES = Sizes(bulk=COUNT, critical=2, base=COUNT, queued=2 * COUNT, history=3 * COUNT, idle_s=1.0)


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    with provider.running(tmp_path_factory.mktemp("double")) as running:
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = Place(tmp_path_factory.mktemp("place"))
    yield made
    made.destroy()


@pytest.mark.parametrize("way", ["single", "task", "chunk", "news"])
def test_every_email_of_a_run_is_sent_once(place, double, way):
    figures = measure(Mailroom(name=way, way=way, resident=False), place, double, 0, COUNT)
    assert (figures.problems, figures.count) == ([], COUNT)
    assert figures.per_email["requests"] == 1.0
    assert figures.per_email["commits"] > 0


def test_batches_have_fewer_requests_than_emails(place, double):
    figures = measure(Mailroom(name="batch", way="batch", resident=False), place, double, 0, COUNT)
    assert (figures.problems, figures.count) == ([], COUNT)
    assert figures.per_email["requests"] < 1


def test_waits_of_single_messages_are_measured(place, double):
    figures = measure(Mailroom(name="single", way="single"), place, double, 0, COUNT)
    assert 0 < figures.p50_ms <= figures.p99_ms


def test_backlog_and_history_are_written(place, double):
    assert growth.growth(place, double, SIZES)["growth_queued"] == SIZES.queued
    assert growth.history(place, double, SIZES)["history_rows"] == SIZES.history
