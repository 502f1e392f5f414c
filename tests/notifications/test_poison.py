"""A message that cannot be made into mail dies at once, with its reason, and stalls nobody in its chunk."""

from dataclasses import replace
from uuid import uuid4

import pytest

from notifications import kinds
from notifications.delivery.attempt import deliver
from notifications.delivery.record import Carrier
from notifications.models import DeliveryAttempt, Message
from notifications.states import Status, Stream
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")


class PoisonError(Exception):
    def __init__(self):
        super().__init__("a secret of the account")


def raises(_user):
    raise PoisonError


def declare(monkeypatch, name, **changes):
    monkeypatch.setitem(kinds.KINDS, name, replace(kinds.WELCOME, name=name, **changes))


def template_raises(monkeypatch, settings, tmp_path):
    folder = tmp_path / "emails" / "poison"
    folder.mkdir(parents=True)
    for name in ("subject.txt", "body.html"):
        (folder / name).write_text("fine")
    (folder / "body.txt").write_text("{% include part %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]
    declare(monkeypatch, "poison", context=lambda _user: {"part": Unprintable()})
    return {"kind": "poison"}


class Unprintable:
    """A template that includes it raises."""

    def render(self, _context):
        raise PoisonError


def template_gone(monkeypatch, *_unused):
    declare(monkeypatch, "poison")
    return {"kind": "poison"}


def context_of_the_wrong_shape(*_unused):
    return {"kind": "product-news", "context": {"headline": "x", "paragraphs": 5}}


def context_raises(monkeypatch, *_unused):
    declare(monkeypatch, "password-reset", context=raises)
    return {"kind": "password-reset"}


def wanted_raises(monkeypatch, *_unused):
    declare(monkeypatch, "password-reset", wanted=raises)
    return {"kind": "password-reset"}


def kind_removed(*_unused):
    return {"kind": "long-gone"}


@pytest.fixture
def poisoned(request, monkeypatch, settings, tmp_path):
    """The fields of a message that cannot be made into mail."""
    settings.EMAIL_RATE = "1000"
    return request.param(monkeypatch, settings, tmp_path)


@pytest.mark.parametrize("place", [0, 7, 19])
@pytest.mark.parametrize(
    ("poisoned", "fingerprint"),
    [
        (template_raises, "rendering/PoisonError"),
        (template_gone, "rendering/TemplateDoesNotExist"),
        (context_of_the_wrong_shape, "rendering/TypeError"),
        (context_raises, "rendering/PoisonError"),
        (wanted_raises, "kind/PoisonError"),
        (kind_removed, "kind/UnknownKindError"),
    ],
    indirect=["poisoned"],
)
def test_poison_dies_at_once_and_alone(provider, poisoned, fingerprint, place):
    chunk = [MessageFactory(**poisoned if number == place else {}) for number in range(20)]
    deliver([message.id for message in chunk], Stream.DEFAULT, CARRIER)
    bad = Message.objects.get(id=chunk[place].id)
    assert (bad.status, bad.error_fingerprint, bad.attempts) == (Status.DEAD, fingerprint, 0)
    assert bad.died_at is not None
    assert fingerprint.rpartition("/")[2] in bad.status_reason
    assert "secret" not in bad.status_reason
    assert Message.objects.filter(status=Status.SENT).count() == len(provider.taken) == 19
    assert not DeliveryAttempt.objects.filter(message=bad).exists()


def test_poison_is_not_delivered_a_second_time(provider):
    bad = MessageFactory(kind="long-gone")
    for _ in range(2):
        report = deliver([bad.id, uuid4()], Stream.DEFAULT, CARRIER)
    assert str(report) == "nothing to do"
