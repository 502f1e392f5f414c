"""Messages that cannot be sent, whatever the provider says: dead after one look, with the reason, and alone."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from notifications import kinds
from notifications.delivery.attempt import deliver
from notifications.delivery.record import Carrier
from notifications.models import Message
from notifications.states import Status, Stream
from tests.factories import MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")
CHUNK = 20


@pytest.fixture
def folder(settings, tmp_path):
    """A folder of templates that goes before the project's own."""
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]
    return tmp_path


def templates(folder: Path, *, name="poison", **files):
    """Write the templates of a kind; what is not given is harmless."""
    where = folder / "emails" / name
    where.mkdir(parents=True)
    for file, text in {"subject.txt": "Subject", "body.txt": "Text", "body.html": "<p>Text</p>", **files}.items():
        if text is not None:
            (where / file).write_text(text)


def declare(monkeypatch, **changes):
    poison = replace(kinds.PRODUCT_NEWS, name="poison", **changes)
    monkeypatch.setitem(kinds.KINDS, "poison", poison)


def dies_alone(provider, fingerprint, reason, **fields):
    """A poisoned message in the middle of a chunk ends with its reason, and the rest of the chunk is sent."""
    well = [MessageFactory(stream=Stream.BULK) for _ in range(CHUNK - 1)]
    poison = MessageFactory(kind="poison", stream=Stream.BULK, **fields)
    ids = [message.id for message in well]
    ids.insert(CHUNK // 2, poison.id)
    while Message.objects.filter(id__in=ids, status=Status.QUEUED).exists():
        # The budget may put some off; a worker comes again.
        Message.objects.filter(id__in=ids, status=Status.QUEUED).update(due_at="2000-01-01T00:00Z")
        deliver(ids, Stream.BULK, CARRIER)
    after = Message.objects.get(id=poison.id)
    assert (after.status, after.attempts, after.error_fingerprint) == (Status.DEAD, 0, fingerprint)
    assert after.died_at is not None
    assert reason in after.status_reason
    assert set(Message.objects.filter(id__in=ids).exclude(id=poison.id).values_list("status", flat=True)) == {
        Status.SENT
    }
    assert len(provider.taken) == CHUNK - 1
    return after


@pytest.mark.parametrize(
    ("files", "context", "problem"),
    [
        ({"body.txt": "{% for one in many %}{% endfor %}"}, {"many": 3}, "TypeError"),
        ({"body.html": "{% url 'no-such-page' %}"}, {}, "NoReverseMatch"),
        ({"body.html": None}, {}, "TemplateDoesNotExist"),
        ({"subject.txt": "{% nonsense %}"}, {}, "TemplateSyntaxError"),
        ({"body.html": "{% include 'emails/poison/body.html' %}"}, {}, "RecursionError"),
        ({"body.txt": "{{ number }} left us"}, {}, "MissingVariableError:number"),
        ({"subject.txt": "{{ order.number }}"}, {"order": {"id": 1}}, "MissingVariableError:order.number"),
        ({"subject.txt": "{{ order.number }}"}, {"order": ["not", "a", "dict"]}, "MissingVariableError:order.number"),
        ({"body.txt": "{{ a|ljust:width }}"}, {"a": "x", "width": "9999999999999999999"}, "OverflowError"),
        ({}, ["a", "list"], "TypeError"),
        ({}, "a text", "TypeError"),
    ],
)
def test_template_and_context_that_do_not_fit(provider, folder, monkeypatch, files, context, problem):
    templates(folder, **files)
    declare(monkeypatch)
    dies_alone(provider, f"rendering/{problem}", f"it cannot be rendered: {problem}", context=context)


def raises(error):
    def ask(user):
        raise error

    return ask


def breaks_the_database(user):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


HARM = [
    (raises(KeyError("their secret")), "KeyError"),
    (raises(MemoryError()), "MemoryError"),
    (raises(SystemExit(1)), "SystemExit"),
    (lambda user: sys.exit("a command of theirs"), "SystemExit"),
    (raises(RecursionError()), "RecursionError"),
]


@pytest.mark.parametrize(("function", "problem"), HARM)
def test_context_function_that_raises(provider, folder, monkeypatch, function, problem):
    templates(folder)
    declare(monkeypatch, context=function)
    after = dies_alone(provider, f"rendering/{problem}", problem)
    assert "secret" not in after.status_reason


@pytest.mark.parametrize(("function", "problem"), HARM)
def test_question_that_raises(provider, monkeypatch, function, problem):
    declare(monkeypatch, wanted=function)
    after = dies_alone(provider, f"kind/{problem}", problem)
    assert "secret" not in after.status_reason


def test_kind_that_has_left_the_catalogue(provider):
    dies_alone(provider, "kind/UnknownKindError", "UnknownKindError")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("asked", "step"), [("wanted", "kind"), ("context", "rendering")])
def test_question_that_no_database_can_answer(provider, folder, monkeypatch, asked, step):
    templates(folder)
    declare(monkeypatch, **{asked: breaks_the_database})
    dies_alone(provider, f"{step}/DataError", "DataError")


@pytest.mark.parametrize("asked", ["wanted", "context"])
def test_database_that_is_away_is_not_the_messages_fault(provider, folder, monkeypatch, asked):
    templates(folder)
    declare(monkeypatch, **{asked: raises(OperationalError())})
    message = MessageFactory(kind="poison", stream=Stream.BULK)
    with pytest.raises(OperationalError):
        deliver([message.id], Stream.BULK, CARRIER)
    message.refresh_from_db()
    assert message.status != Status.DEAD


def test_template_says_what_may_be_missing(provider, folder, monkeypatch):
    templates(
        folder,
        **{
            "body.txt": "Hello{% if name %} {{ name }}{% endif %}.{% for one in many %}{{ one }}{% endfor %}{{ empty }}"
        },
    )
    declare(monkeypatch)
    message = MessageFactory(kind="poison", stream=Stream.BULK, context={"empty": ""}, user=UserFactory())
    deliver([message.id], Stream.BULK, CARRIER)
    assert provider.taken[0].text == "Hello."
