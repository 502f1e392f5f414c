"""What the steering page and its questions say, and that going back loses nothing."""

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import translation

from notifications.admin.steering.pauses import label, targets
from notifications.breaker import permits
from notifications.models import Pause
from notifications.operations.wording import duration, next_probe
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.admin.test_steering import CANCEL, PAUSE, post, url
from tests.notifications.breaker.breakers import open_circuit, until_probe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def operator(staff):
    return staff("view_message", "steer_email")


def test_probe_that_is_due_has_no_time(operator, settings):
    settings.EMAIL_PROVIDERS = ["ses"]
    open_circuit("ses")
    until_probe("ses")
    page = operator.get(url()).content.decode()
    assert next_probe(permits.states()[0]) in page
    assert duration(0) not in page


def test_going_back_keeps_what_was_typed(operator):
    message = MessageFactory()
    for fields in (PAUSE, CANCEL):
        assert post(operator, **fields).context["keeps_fields"]
        form = post(operator, **fields, back="1").context[f"{fields['act']}_form"]
        assert {"act": form.name, **{name: form[name].value() for name in fields if name != "act"}} == fields
    assert not Pause.objects.exists()
    assert not LogEntry.objects.exists()
    message.refresh_from_db()
    assert message.status == Status.QUEUED


def test_streams_have_names_in_the_operators_language():
    with translation.override("de"):
        name = str(Stream.BULK.label)
        assert label(Pause.What.STREAM, "bulk").endswith(f" {name}")
        assert label(Pause.What.STREAM, "gone").endswith(" gone")
        assert ("stream:bulk", name) in [choice for _group, choices in targets()[1:] for choice in choices]


def test_question_repeats_the_filter(operator):
    question = post(operator, **CANCEL | {"domain": "example.com"}).context["question"]
    assert any("welcome" in sentence and "example.com" in sentence for sentence in question.sentences)
