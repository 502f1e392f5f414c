"""With German as the site's language, no page of the admin shows an English text of the engine."""

from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import pytest
from babel.messages import pofile
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation

import notifications
from notifications.delivery.record import NO_TIME_LEFT
from notifications.delivery.relevance import KIND_UNKNOWN, WAITS_FOR_WORKER
from notifications.models import DeliveryAttempt, ProviderEvent, Suppression
from notifications.operations.problems import findings
from notifications.operations.wording import TROUBLES, translate_stored
from notifications.rules.outcomes import EventType
from notifications.rules.retry import REFUSED, SPENT, ErrorClass
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from notifications.runtime.heartbeat import beat
from notifications.support.reasons import STORED, in_words
from tests.factories import MessageFactory
from tests.notifications.operations.test_problems import CASES, status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
CATALOGUE = Path(notifications.__file__).parent / "locale/de/LC_MESSAGES/django.po"
SHOWN = {"alt", "aria-label", "placeholder", "title", "value"}
FILLED = dict.fromkeys(
    ("error", "reason", "cause", "who", "provider", "tries", "seconds", "tasks", "job", "why", "address"), "5"
)


def english():
    """Return the texts of the engine that German says otherwise."""
    with CATALOGUE.open("rb") as file:
        for message in pofile.read_po(file, locale="de"):
            ids, texts = (part if isinstance(part, tuple | list) else [part] for part in (message.id, message.string))
            yield from (id_ for id_ in ids if id_ and id_.casefold() not in [text.casefold() for text in texts])


ENGLISH = set(english())


class Texts(HTMLParser):
    """Collects what a page shows."""

    def __init__(self):
        super().__init__()
        self.found, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in {"script", "style"}
        self.found += [value for name, value in attrs if name in SHOWN and value and tag != "option"]

    def handle_endtag(self, tag):
        self.hidden -= tag in {"script", "style"}

    def handle_data(self, data):
        if not self.hidden:
            self.found.append(" ".join(data.split()))


def english_in(page):
    texts = Texts()
    texts.feed(page.content.decode())
    whole = set(texts.found) | {text.lower() for text in texts.found} | {text.rstrip(":") for text in texts.found}
    everything = "\n".join(texts.found)
    return [text for text in ENGLISH if text in whole or (len(text.split()) > 3 and text in everything)]


@pytest.fixture
def german(settings):
    settings.LANGUAGE_CODE = "de"


@pytest.fixture
def messages(admin_client):
    found = {each: MessageFactory(kind="password-changed", status=each) for each in Status if each not in SPECIAL}
    found |= {
        Status.SENDING: MessageFactory(sending=True, handed_over_at=Now()),
        Status.SENT: MessageFactory(kind="password-changed", status=Status.SENT, sent_at=Now(), status_reason="x"),
        Status.UNCERTAIN: MessageFactory(uncertain=True),
    }
    for number, error_class in enumerate(ErrorClass, 1):
        DeliveryAttempt.objects.create(
            message=found[Status.DEAD],
            number=number,
            provider="ses",
            result=error_class,
            error_code="http-500",
            error=f"{error_class}: http-500 (x)",
        )
    for kind in EventType:
        ProviderEvent.objects.create(
            provider="ses", event_id=kind, payload={}, message=found[Status.SENT], kind=kind, bounce="soft"
        )
    return found


SPECIAL = {Status.SENDING, Status.SENT, Status.UNCERTAIN}


def url(name, *args):
    return reverse(f"admin:{name}", args=args)


def test_lists_are_german(admin_client, messages, german):
    for model in ("message", "deadletter", "uncertainmessage", "providerevent", "suppression"):
        assert english_in(admin_client.get(url(f"notifications_{model}_changelist"))) == [], model
    assert english_in(admin_client.get(url("app_list", "notifications"))) == []
    assert english_in(admin_client.get(url("django_celery_results_taskresult_changelist"))) == []


def test_pages_of_messages_are_german(admin_client, messages, german):
    for status_, message in messages.items():
        assert english_in(admin_client.get(url("notifications_message_change", message.pk))) == [], status_
        assert english_in(admin_client.get(url("notifications_message_resend", message.pk))) == [], status_
    event = ProviderEvent.objects.first()
    assert english_in(admin_client.get(url("notifications_providerevent_change", event.pk))) == []


@pytest.mark.parametrize(
    ("name", "status_", "fields"),
    [
        ("notifications_message_resend", Status.SENT, {"request_id": uuid4(), "do": "resend.sent-before"}),
        ("notifications_message_resend", Status.DEAD, {"request_id": uuid4(), "do": "replay.sends"}),
        ("notifications_message_resend", Status.SUPPRESSED, {"request_id": uuid4(), "do": "resend.sends"}),
        ("notifications_message_resend", Status.QUEUED, {"request_id": uuid4(), "do": "retry.sends"}),
        ("notifications_message_cancel", Status.QUEUED, {"why": "x"}),
        ("notifications_message_cancel", Status.SENT, {"why": "x"}),
        ("notifications_message_cancel", Status.SENDING, {}),
        ("notifications_message_resend", Status.SENDING, {}),
        ("notifications_deadletter_replay", Status.DEAD, {}),
        ("notifications_deadletter_replay", Status.SENT, {}),
        ("notifications_uncertainmessage_settle", Status.UNCERTAIN, {"sent": "1"}),
        ("notifications_uncertainmessage_settle", Status.UNCERTAIN, {"again": "1"}),
        ("notifications_uncertainmessage_settle", Status.UNCERTAIN, {"drop": "1"}),
        ("notifications_uncertainmessage_settle", Status.SENT, {"drop": "1"}),
    ],
)
def test_actions_are_german(admin_client, messages, german, name, status_, fields):
    path = url(name, messages[status_].pk)
    assert english_in(admin_client.get(path)) == []
    assert english_in(admin_client.post(path, fields, follow=True)) == []
    assert english_in(admin_client.get(url("notifications_message_history", messages[status_].pk))) == []


def test_suppressions_are_german(admin_client, german):
    for reason in Reason:
        suppression = Suppression.objects.create(address=f"{reason.name.lower()}@example.com", reason=reason)
        change, lift = (url(f"notifications_suppression_{name}", suppression.pk) for name in ("change", "lift"))
        assert english_in(admin_client.get(change)) == []
        assert english_in(admin_client.get(lift)) == []
        assert english_in(admin_client.post(lift, {"why": "x"}, follow=True)) == []
        assert english_in(admin_client.get(change)) == []
    add = url("notifications_suppression_add")
    assert english_in(admin_client.get(add)) == []
    assert english_in(admin_client.post(add, {"address": "x"})) == []


def test_dashboard_is_german(admin_client, messages, german):
    beat("main@here", next(iter(TROUBLES)).format(seconds=30))
    assert english_in(admin_client.get(url("notifications_dashboard"))) == []


@pytest.mark.parametrize("name", [name for name, (_, codes) in CASES.items() if codes])
def test_findings_are_german(name):
    found = findings(status(**CASES[name][0]))
    with translation.override("de"):
        translated = findings(status(**CASES[name][0]))
    assert not set(map(str, found)) & set(map(str, translated))


STORED_SENTENCES = [(key, table) for table in (STORED, TROUBLES) for key in table]


@pytest.mark.parametrize(("stored", "translations"), STORED_SENTENCES)
def test_stored_sentences_are_german(stored, translations):
    text = stored.format(**FILLED)
    with translation.override("de"):
        german_text = translate_stored(text, translations)
    assert german_text not in {text, translate_stored(text, translations)}
    assert "{" not in german_text


@pytest.mark.parametrize(
    "stored",
    [
        "permanent: http-400 (bad address)",
        f"{REFUSED}: permanent: http-400 (bad address)",
        f"{SPENT.format(tries=5)}: transient: http-503",
        f"{NO_TIME_LEFT}: transient: http-503 (a sentence that was cut o",
        KIND_UNKNOWN,
        WAITS_FOR_WORKER.format(cause=KIND_UNKNOWN),
    ],
)
def test_reason_of_a_failure_is_in_words(stored):
    assert in_words(stored, "welcome") != stored


def test_reason_of_a_product_is_shown_as_it_is():
    stored = "order 5 was cancelled: see the shop"
    assert in_words(stored, "welcome") == stored


def test_english_is_found(admin_client):
    assert english_in(admin_client.get(url("notifications_dashboard")))
