from types import SimpleNamespace

from flower.views import BaseHandler

from config import flowerconfig  # noqa: F401 - Flower runs it at its start
from config.processes import PROCESSES
from notifications.rules.states import Stream


def test_broker_page_lists_every_queue_before_the_workers_answer():
    workers = {"main@here": {"active_queues": [{"name": "critical"}, {"name": "another"}]}, "bulk@here": {}}
    handler = SimpleNamespace(application=SimpleNamespace(workers=workers), capp=None)
    assert BaseHandler.get_active_queue_names(handler) == sorted({"another", *Stream.values})


def test_flower_is_started_with_its_configuration():
    (flower,) = [process for process in PROCESSES if process.name == "flower"]
    assert "--conf=config/flowerconfig.py" in flower.command
