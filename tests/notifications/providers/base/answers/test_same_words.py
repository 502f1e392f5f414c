"""A text of the recipient's server has one meaning in answers and in every provider's webhook."""

import json

import pytest

from config.environment import BASE_DIR
from notifications.providers.postmark.webhook import PostmarkWebhook
from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.providers.ses.webhook import SesWebhook
from notifications.providers.smtp.answers import Step, read_reply
from notifications.rules.outcomes import BounceKind

FOLDER = BASE_DIR / "tests" / "payloads"
HARD, SOFT, BLOCKED = BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCKED

WORDS = [
    ("550 5.1.1 user unknown", HARD),
    ("550 5.1.10 recipient not found", HARD),
    ("550 5.2.1 the mailbox is disabled", HARD),
    ("552 5.2.2 mailbox full", SOFT),
    ("550 5.7.1 refused by a rule", BLOCKED),
    ("550 5.7.26 unauthenticated email, see the domain's DMARC policy", BLOCKED),
    ("550 5.7.606 access denied, banned IP", BLOCKED),
    ("550 5.4.1 no answer from host", BLOCKED),
]


def payload(name):
    return json.loads((FOLDER / name).read_text())


@pytest.mark.parametrize(("words", "expected"), WORDS)
@pytest.mark.parametrize("reported", ["Permanent", "Transient", "Undetermined"])
def test_bounce_of_ses(words, expected, reported):
    event = payload("ses/bounce-permanent-general.json")
    person = event["bounce"]["bouncedRecipients"][0]
    event["bounce"].update(bounceType=reported, bounceSubType="General")
    person.update(status=words.split()[1], diagnosticCode=f"smtp; {words}")
    assert SesWebhook().interpret(event).bounce is expected
    # If one of the two is missing or vague, the other decides.
    person.update(status="5.0.0")
    assert SesWebhook().interpret(event).bounce is expected
    person.update(status=words.split()[1], diagnosticCode="")
    assert SesWebhook().interpret(event).bounce is expected


@pytest.mark.parametrize("subtype", ["NoEmail", "Suppressed", "OnAccountSuppressionList"])
def test_address_on_a_list_of_ses_is_a_hard_bounce(subtype):
    event = payload("ses/bounce-permanent-general.json")
    event["bounce"]["bounceSubType"] = subtype
    event["bounce"]["bouncedRecipients"][0].update(status="5.7.1", diagnosticCode="Amazon SES did not send the message")
    assert SesWebhook().interpret(event).bounce is HARD


@pytest.mark.parametrize("reported", ["General", "NoEmail"])
def test_bounce_of_ses_without_clear_text_keeps_the_type_of_ses(reported):
    event = payload("ses/bounce-permanent-general.json")
    event["bounce"]["bounceSubType"] = reported
    event["bounce"]["bouncedRecipients"][0].update(status="5.5.0", diagnosticCode="smtp; 550 mailbox unavailable")
    assert SesWebhook().interpret(event).bounce is HARD


@pytest.mark.parametrize(("words", "expected"), WORDS)
@pytest.mark.parametrize("reported", ["bounce", "blocked", ""])
def test_bounce_of_sendgrid(words, expected, reported):
    event = payload("sendgrid/bounce.json")
    event = event[0] if isinstance(event, list) else event
    event.update(type=reported, reason=words, status=words.split()[1], bounce_classification="")
    assert SendGridWebhook().interpret(event).bounce is expected


@pytest.mark.parametrize(("words", "expected"), WORDS)
@pytest.mark.parametrize("reported", ["HardBounce", "SoftBounce", "Unknown", "Blocked"])
def test_bounce_of_postmark(words, expected, reported):
    event = {**payload("postmark/bounce-hard-bounce.json"), "Type": reported, "Details": f"smtp;{words}"}
    assert PostmarkWebhook().interpret(event).bounce is expected


@pytest.mark.parametrize(("words", "expected"), WORDS)
def test_reply_of_smtp(words, expected):
    code, _, text = words.partition(" ")
    assert read_reply(Step.RCPT, int(code), text).bounce is expected


@pytest.mark.parametrize("reported", ["bounce", "blocked", ""])
@pytest.mark.parametrize("of", ["Content", "Reputation"])
def test_bounce_of_sendgrid_about_the_sender_is_not_about_the_mailbox(reported, of):
    event = payload("sendgrid/bounce.json")
    event.update(type=reported, bounce_classification=of, reason="554 no", status="5.0.0")
    assert SendGridWebhook().interpret(event).bounce is BLOCKED
    # The status of the recipient's server is clearer.
    event.update(status="5.1.1")
    assert SendGridWebhook().interpret(event).bounce is HARD
