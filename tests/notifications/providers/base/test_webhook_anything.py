"""Any request, genuine or not, raises only our exceptions, and its events can be stored."""

import json
from datetime import UTC

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.environment import BASE_DIR
from notifications.models import ProviderEvent
from notifications.providers.base.payload import DEEPEST, storable
from notifications.providers.base.webhook import (
    CannotVerifyError,
    InterpretedEvent,
    InvalidSignatureError,
    MalformedError,
    UnknownEventError,
    WebhookRequest,
)
from notifications.providers.postmark.webhook import PostmarkWebhook
from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.providers.ses.webhook import SesWebhook
from notifications.providers.simulator.webhook import SimulatorWebhook
from tests.notifications.providers.base.signing import as_posted, basic_auth

WEBHOOKS = [SesWebhook(), SendGridWebhook(), PostmarkWebhook(), SimulatorWebhook()]
REFUSALS = (InvalidSignatureError, MalformedError, CannotVerifyError)
REAL = [json.loads(path.read_text()) for path in sorted((BASE_DIR / "tests" / "payloads").rglob("*.json"))]

# Including lone surrogates, which JSON can contain and UTF-8 cannot.
TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["ada@example.com", "General"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def paths(value, so_far=()):
    """Yield the path to each value in a JSON document."""
    yield so_far
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for name, one in inside:
        yield from paths(one, (*so_far, name))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@st.composite
def damaged(draw):
    """Return a real event with one value replaced by anything."""
    event = draw(st.sampled_from(REAL))
    return replaced(event, draw(st.sampled_from(list(paths(event)))), draw(JSON))


def assert_fits_its_columns(found):
    assert isinstance(found, InterpretedEvent)
    assert len(found.recipient) <= 320
    assert len(found.detail) <= 300
    assert len(found.provider_message_id) <= 200
    assert found.attempt is None or 0 <= found.attempt <= 32_767
    assert found.occurred_at is None or found.occurred_at.tzinfo is UTC
    for text in (found.recipient, found.detail, found.provider_message_id):
        text.encode()
        assert "\x00" not in text


@FUZZ
@given(event=st.dictionaries(TEXT, JSON) | damaged().filter(lambda one: isinstance(one, dict)))
@example(event={"eventType": "Send", "mail": {"destination": ["a@b"], "timestamp": "0001-01-01T00:00:00+14:00"}})
@example(event={"event": "delivered", "email": "İ@b", "timestamp": 10**30, "mailroom_attempt": 10**30})
def test_any_payload_is_interpreted_or_unknown(event):
    for webhook in WEBHOOKS:
        try:
            found = webhook.interpret(event)
        except UnknownEventError:
            continue
        if found is not None:
            assert_fits_its_columns(found)


@pytest.fixture
def keys(settings, sendgrid):
    settings.SENDGRID_WEBHOOK_KEY = settings.SIMULATOR_WEBHOOK_KEY = sendgrid.shown_key()
    settings.POSTMARK_WEBHOOK_AUTH = "user:password"


@FUZZ
@given(
    body=st.binary(max_size=60) | JSON.map(lambda one: json.dumps(one).encode()), headers=st.dictionaries(TEXT, TEXT)
)
def test_anything_posted_is_refused(amazon, keys, body, headers):
    for webhook in WEBHOOKS:
        with pytest.raises(REFUSALS):
            webhook.verify_and_parse(WebhookRequest(body, headers))
    assert amazon.dialled == []


@FUZZ
@given(data=st.data())
def test_any_damage_to_a_signed_message_is_refused(amazon, sns, data):
    message = sns.notification(REAL[0]) if data.draw(st.booleans()) else sns.confirmation()
    name = data.draw(st.sampled_from(sorted(message)))
    new = data.draw(JSON)
    if new == message[name] or str(new) == message[name]:
        return
    with pytest.raises(REFUSALS):
        SesWebhook().verify_and_parse(as_posted({**message, name: new}))


@FUZZ
@given(event=JSON | damaged())
def test_any_genuine_body_is_parsed_or_malformed(amazon, keys, sns, sendgrid, event):
    body = json.dumps(event).encode()
    genuine = [
        (SesWebhook(), as_posted(sns.notification(event))),
        (SendGridWebhook(), sendgrid.posted(b"[" + body + b"]")),
        (PostmarkWebhook(), WebhookRequest(body, basic_auth("user:password"))),
    ]
    for webhook, posted in genuine:
        try:
            opened = webhook.verify_and_parse(posted)
        except MalformedError:
            continue
        for one in opened.events:
            assert 0 < len(one.event_id) <= 200
            assert json.dumps(one.payload, allow_nan=False).encode()


@pytest.mark.django_db
@FUZZ
@given(value=JSON)
@example(value={"\x00": ["\ud800", float("nan"), float("inf"), 1e308, 10**300, {"a\udfff": "\x00"}]})
@example(value=json.loads('{"a":' * 200 + "1" + "}" * 200))
def test_payload_can_be_stored(value):
    kept = {"value": storable(value)}
    made = ProviderEvent.objects.create(provider="sendgrid", event_id="one", payload=kept)
    assert set(ProviderEvent.objects.get(pk=made.pk).payload) == {"value"}
    made.delete()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 see https://mail.example.com/reset/MQ/abc-123?x=1#y now", "550 see https://mail.example.com/… now"),
        ("<http://a.example/x> and HTTPS://b.example/y", "<http://a.example/…> and HTTPS://b.example/…"),
        ("https://a.example", "https://a.example/…"),
        ("no link: a://b", "no link: a://b"),
        ("grüße", "grüße"),
    ],
)
def test_links_are_kept_without_their_path(text, expected):
    assert storable({"a": [text]}) == {"a": [expected]}


def test_depth_is_limited():
    value = "bottom"
    for _ in range(DEEPEST + 5):
        value = [value]
    assert json.dumps(storable(value)) == "[" * DEEPEST + '"\\u2026"' + "]" * DEEPEST
