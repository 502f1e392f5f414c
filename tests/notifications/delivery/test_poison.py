"""Messages that a worker cannot send wait or die, with a reason, and affect no other message."""

import sys
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest
from django.core.exceptions import FieldError
from django.db import OperationalError, connection
from django.db.models.functions import Now

from accounts import emails
from notifications import kinds
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.models import Message
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.live.running import eventually

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")
CHUNK = 5


@pytest.fixture
def folder(settings, tmp_path):
    """A folder of templates that overrides the project's."""
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]
    return tmp_path


def templates(folder: Path, *, name="poison", **files):
    """Write the templates of a kind, valid by default."""
    where = folder / "emails" / name
    where.mkdir(parents=True)
    for file, text in {"subject.txt": "Subject", "body.txt": "Text", "body.html": "<p>Text</p>", **files}.items():
        if text is not None:
            (where / file).write_text(text)


def declare(monkeypatch, **changes):
    poison = replace(emails.PRODUCT_NEWS, name="poison", **changes)
    monkeypatch.setitem(kinds.KINDS, "poison", poison)


def dies_alone(provider, fingerprint, **fields):
    after = assert_others_are_sent(provider, fingerprint, Status.DEAD, **fields)
    assert after.died_at is not None
    return after


def waits_alone(provider, fingerprint, **fields):
    """Assert that it waits for a worker of another version until it expires, without an attempt."""
    after = assert_others_are_sent(provider, fingerprint, Status.QUEUED, **fields)
    Message.objects.filter(id=after.id).update(due_at="2000-01-01T00:00Z", expires_at=Now())
    # The budget may defer it.
    eventually(lambda: deliver([after.id], Stream.BULK, CARRIER).counts["expired"] or due_again(after))
    over = Message.objects.get(id=after.id)
    assert (over.status, over.attempts, over.error_fingerprint) == (Status.EXPIRED, 0, "")
    assert over.status_reason
    return after


def due_again(message):
    Message.objects.filter(id=message.id, status=Status.QUEUED).update(due_at="2000-01-01T00:00Z")


def assert_others_are_sent(provider, fingerprint, status, **fields):
    """Assert that a bad message in a chunk ends or waits with its reason, and the others are sent."""
    well = [MessageFactory(stream=Stream.BULK) for _ in range(CHUNK - 1)]
    poison = MessageFactory(kind="poison", stream=Stream.BULK, **fields)
    ids = [message.id for message in well]
    ids.insert(CHUNK // 2, poison.id)
    waiting = Message.objects.filter(id__in=ids, status=Status.QUEUED, error_fingerprint="")
    while waiting.exists():
        # The budget may defer some, so deliver again.
        waiting.update(due_at="2000-01-01T00:00Z")
        deliver(ids, Stream.BULK, CARRIER)
    after = Message.objects.get(id=poison.id)
    assert (after.status, after.attempts, after.error_fingerprint) == (status, 0, fingerprint)
    assert after.status_reason
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
        ({"body.txt": "{{ number }} left us"}, {}, "MissingVariableError:number"),
        ({"subject.txt": "{{ order.number }}"}, {"order": {"id": 1}}, "MissingVariableError:order.number"),
        ({"subject.txt": "{{ order.number }}"}, {"order": ["not", "a", "dict"]}, "MissingVariableError:order.number"),
        ({}, ["a", "list"], "TypeError"),
        ({}, "a text", "TypeError"),
    ],
)
def test_template_that_does_not_fit_the_context_waits(provider, folder, monkeypatch, files, context, problem):
    templates(folder, **files)
    declare(monkeypatch)
    waits_alone(provider, f"rendering/{problem}", context=context)


@pytest.mark.parametrize(
    ("files", "context", "problem"),
    [
        ({"body.html": "{% include 'emails/poison/body.html' %}"}, {}, "RecursionError"),
        ({"body.txt": "{{ a|ljust:width }}"}, {"a": "x", "width": "9999999999999999999"}, "OverflowError"),
    ],
)
def test_template_that_no_version_can_render_dies(provider, folder, monkeypatch, files, context, problem):
    templates(folder, **files)
    declare(monkeypatch)
    dies_alone(provider, f"rendering/{problem}", context=context)


def raises(error):
    def ask(user):
        raise error

    return ask


def breaks_the_database(user):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


OLDER = [
    (raises(KeyError("their secret")), "KeyError"),
    (attrgetter("loyalty_points"), "AttributeError"),
    (lambda user: import_module("not_yet_there"), "ModuleNotFoundError"),
    (raises(FieldError("loyalty_points")), "FieldError"),
]
BUGS = [
    (raises(ZeroDivisionError("their secret")), "ZeroDivisionError"),
    (raises(MemoryError()), "MemoryError"),
    (raises(SystemExit(1)), "SystemExit"),
    (lambda user: sys.exit("a command"), "SystemExit"),
    (raises(RecursionError()), "RecursionError"),
]


@pytest.mark.parametrize(("function", "problem"), BUGS)
def test_failing_context_function_dies(provider, folder, monkeypatch, function, problem):
    templates(folder)
    declare(monkeypatch, context=function)
    after = dies_alone(provider, f"rendering/{problem}")
    assert "secret" not in after.status_reason


@pytest.mark.parametrize(("function", "problem"), OLDER)
def test_context_function_of_another_version_waits(provider, folder, monkeypatch, function, problem):
    templates(folder)
    declare(monkeypatch, context=function)
    after = waits_alone(provider, f"rendering/{problem}")
    assert "secret" not in after.status_reason


@pytest.mark.parametrize(("function", "problem"), BUGS)
def test_failing_check_of_relevance_dies(provider, monkeypatch, function, problem):
    declare(monkeypatch, is_relevant=function)
    after = dies_alone(provider, f"kind/{problem}")
    assert "secret" not in after.status_reason


@pytest.mark.parametrize(("function", "problem"), OLDER)
def test_check_of_relevance_of_another_version_waits(provider, monkeypatch, function, problem):
    declare(monkeypatch, is_relevant=function)
    after = waits_alone(provider, f"kind/{problem}")
    assert "secret" not in after.status_reason


def test_unknown_kind_waits(provider):
    waits_alone(provider, "kind/UnknownKindError")


def test_unknown_kind_without_an_expiry_waits_two_days(provider):
    age = timedelta(seconds=kinds.UNKNOWN_MAX_AGE_S)
    young, old = (
        MessageFactory(kind="poison", expires_at=None, created_at=Now() - seconds)
        for seconds in (age - timedelta(minutes=1), age + timedelta(minutes=1))
    )
    deliver([young.id, old.id], Stream.DEFAULT, CARRIER)
    assert [Message.objects.get(id=each.id).status for each in (young, old)] == [Status.QUEUED, Status.EXPIRED]


def test_worker_of_the_right_version_sends_waiting_messages(provider, folder, monkeypatch):
    message = MessageFactory(kind="poison", stream=Stream.BULK)
    deliver([message.id], Stream.BULK, CARRIER)
    templates(folder)
    declare(monkeypatch)
    Message.objects.update(due_at=Now())
    deliver([message.id], Stream.BULK, CARRIER)
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.SENT, 1)
    assert (message.error_fingerprint, message.status_reason) == ("", "")


def test_message_that_cannot_be_rendered_uses_no_budget(provider, folder, monkeypatch, settings):
    settings.EMAIL_RATE = "1"
    templates(folder, **{"body.txt": "{{ missing }}"})
    declare(monkeypatch)
    poison = [MessageFactory(kind="poison", stream=Stream.BULK) for _ in range(30)]
    for message in poison:
        deliver([message.id], Stream.BULK, CARRIER)
    found = set(Message.objects.values_list("error_fingerprint", flat=True))
    assert found == {"rendering/MissingVariableError:missing"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("asked", "step"), [("is_relevant", "kind"), ("context", "rendering")])
def test_invalid_query_of_a_kind_dies(provider, folder, monkeypatch, asked, step):
    templates(folder)
    declare(monkeypatch, **{asked: breaks_the_database})
    dies_alone(provider, f"{step}/DataError")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("asked", "step"), [("is_relevant", "kind"), ("context", "rendering")])
def test_missing_column_waits(provider, folder, monkeypatch, asked, step):
    def asks(user):
        with connection.cursor() as cursor:
            cursor.execute("SELECT loyalty_points FROM accounts_user")

    templates(folder)
    declare(monkeypatch, **{asked: asks})
    waits_alone(provider, f"{step}/ProgrammingError")


@pytest.mark.parametrize("asked", ["is_relevant", "context"])
def test_outage_of_the_database_is_not_the_fault_of_the_message(provider, folder, monkeypatch, asked):
    templates(folder)
    declare(monkeypatch, **{asked: raises(OperationalError())})
    message = MessageFactory(kind="poison", stream=Stream.BULK)
    with pytest.raises(OperationalError):
        deliver([message.id], Stream.BULK, CARRIER)
    message.refresh_from_db()
    assert message.status != Status.DEAD


def test_template_can_have_optional_variables(provider, folder, monkeypatch):
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
