"""Every documented event of the providers: parsed, stored and interpreted."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from config.environment import BASE_DIR
from notifications.providers.base.webhook import InterpretedEvent, WebhookRequest
from notifications.providers.postmark.webhook import PostmarkWebhook
from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.providers.ses.webhook import SesWebhook
from notifications.rules.outcomes import BounceKind, EventType
from tests.notifications.providers.base.signing import as_posted, basic_auth

FOLDER = BASE_DIR / "tests" / "payloads"
MESSAGE_ID = UUID("0b0f0e2c-7d1a-4a57-9d7b-2f6f3a5c9e10")

HARD, SOFT, BLOCKED, ANSWERED = BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCKED, BounceKind.AUTO_REPLY
K = EventType
LEFT_OUT = "left out"  # not stored
NOTHING = None  # stored, and not about delivery

Expected = InterpretedEvent | str | None


def at(hour: int, minute: int, second: int, microsecond: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, second, microsecond, tzinfo=UTC)


def ses(kind: K, detail: str, bounce: BounceKind | None = None, **changes: object) -> InterpretedEvent:
    values: dict[str, object] = {
        "kind": kind,
        "recipient": "ada@example.com",
        "bounce": bounce,
        "message_id": MESSAGE_ID,
        "attempt": 2,
        "provider_message_id": "0107019ab2c3d4e5-11112222-3333-4444-5555-666677778888-000000",
        "occurred_at": at(9, 16, 2, 669000),
        "detail": detail,
    }
    return InterpretedEvent(**{**values, **changes})  # type: ignore[arg-type]


def sendgrid(kind: K, detail: str = "", bounce: BounceKind | None = None, **changes: object) -> InterpretedEvent:
    own = {"provider_message_id": "6e5a1b1c-2f1d-4f0e-8f9a-0c7e5d4b3a21", "occurred_at": at(9, 16, 2)}
    return ses(kind, detail, bounce, **{**own, **changes})


def postmark(kind: K, detail: str, bounce: BounceKind | None = None, **changes: object) -> InterpretedEvent:
    own = {"provider_message_id": "883953f4-6105-42a2-a16a-77a8eac79483", "occurred_at": at(8, 16, 2, 273539)}
    return ses(kind, detail, bounce, **{**own, **changes})


SENT_AT = at(9, 15, 30, 120000)
NOT_OURS = {"message_id": None, "attempt": None}
UNKNOWN_USER = "smtp; 550 5.1.1 user unknown"
SAID = "What Postmark says about this type of bounce."

SES: dict[str, Expected] = {
    "send": ses(K.ACCEPTED, "", occurred_at=SENT_AT),
    "send-headers-truncated": ses(K.ACCEPTED, "", occurred_at=SENT_AT),
    "send-foreign": ses(K.ACCEPTED, "", occurred_at=SENT_AT, **NOT_OURS),
    "delivery": ses(K.DELIVERED, "250 2.6.0 Message received"),
    "bounce-permanent-general": ses(K.BOUNCED, f"Permanent/General: {UNKNOWN_USER}", HARD),
    "bounce-permanent-noemail": ses(K.BOUNCED, f"Permanent/NoEmail: {UNKNOWN_USER}", HARD),
    "bounce-permanent-suppressed": ses(
        K.BOUNCED,
        "Permanent/Suppressed: Amazon SES has suppressed sending to this address because it has a recent history of"
        " bouncing as an invalid address.",
        HARD,
    ),
    "bounce-permanent-on-account-suppression-list": ses(
        K.BOUNCED,
        "Permanent/OnAccountSuppressionList: Amazon SES did not send the message to this address because it is on the"
        " suppression list for your account.",
        HARD,
    ),
    "bounce-after-forwarding": ses(K.BOUNCED, f"Permanent/General: {UNKNOWN_USER}", HARD),
    "bounce-transient-general": ses(
        K.BOUNCED,
        "Transient/General: smtp; 550 4.4.7 Message expired: unable to deliver in 840 minutes.",
        BLOCKED,
    ),
    "bounce-transient-general-auto-reply": ses(K.BOUNCED, "Transient/General", ANSWERED),
    "bounce-transient-mailbox-full": ses(K.BOUNCED, "Transient/MailboxFull: smtp; 552 5.2.2 mailbox full", SOFT),
    "bounce-transient-message-too-large": ses(
        K.BOUNCED, "Transient/MessageTooLarge: smtp; 552 5.3.4 message size exceeds limit", BLOCKED
    ),
    "bounce-transient-content-rejected": ses(
        K.BOUNCED,
        "Transient/ContentRejected: smtp; 554 5.7.1 the link https://mail.example.com/… is not liked here",
        BLOCKED,
    ),
    "bounce-transient-attachment-rejected": ses(
        K.BOUNCED, "Transient/AttachmentRejected: smtp; 552 5.7.1 attachment refused", BLOCKED
    ),
    "bounce-undetermined": ses(K.BOUNCED, "Undetermined/Undetermined", SOFT),
    "complaint-abuse": ses(K.COMPLAINED, "abuse"),
    "complaint-auth-failure": ses(K.COMPLAINED, "auth-failure"),
    "complaint-fraud": ses(K.COMPLAINED, "fraud"),
    "complaint-not-spam": ses(K.NOT_SPAM, "not-spam"),
    "complaint-other": ses(K.COMPLAINED, "other"),
    "complaint-virus": ses(K.COMPLAINED, "virus"),
    "complaint-without-report": ses(K.COMPLAINED, ""),
    "complaint-on-account-suppression-list": ses(K.COMPLAINED, "OnAccountSuppressionList"),
    "reject": ses(K.REJECTED, "Bad content", occurred_at=SENT_AT),
    "rendering-failure": ses(
        K.REJECTED,
        "Attribute 'first_name' is not present in the rendering data.",
        occurred_at=SENT_AT,
    ),
    "delivery-delay": ses(
        K.DEFERRED, "TransientCommunicationFailure: smtp; 421 4.4.1 Unable to connect to remote host"
    ),
    "delivery-delay-of-one-of-two": ses(
        K.DEFERRED, "MailboxFull: smtp; 452 4.2.2 mailbox full", recipient="bob@example.com", **NOT_OURS
    ),
    "subscription-all": ses(K.UNSUBSCRIBED, "Customers/UnsubscribeHeader"),
    "subscription-topic": ses(K.UNSUBSCRIBED, "Customers/UnsubscribeHeader"),
    "subscription-back-again": NOTHING,
    "open": LEFT_OUT,
    "click": LEFT_OUT,
    "notification-bounce": ses(K.BOUNCED, f"Permanent/General: {UNKNOWN_USER}", HARD),
    "notification-complaint": ses(K.COMPLAINED, "abuse"),
    "notification-delivery": ses(K.DELIVERED, "250 ok"),
    "notification-without-headers": ses(K.DELIVERED, "250 ok", **NOT_OURS),
    "notification-received": LEFT_OUT,
    "notification-subscribed": LEFT_OUT,
}

SENDGRID: dict[str, Expected] = {
    "processed": sendgrid(K.ACCEPTED),
    "deferred": sendgrid(K.DEFERRED, "400 try again later"),
    "delivered": sendgrid(K.DELIVERED, "250 OK"),
    "delivered-foreign": sendgrid(
        K.DELIVERED,
        "250 OK",
        provider_message_id="14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **NOT_OURS,
    ),
    "bounce": sendgrid(K.BOUNCED, "Invalid Address: 550 5.1.1 unknown recipient", HARD),
    "bounce-mailbox-unavailable": sendgrid(K.BOUNCED, "Mailbox Unavailable: 552 5.2.2 the mailbox is full", SOFT),
    "bounce-unclassified": sendgrid(K.BOUNCED, "Unclassified: 500 no", HARD),
    "blocked": sendgrid(K.BOUNCED, "Reputation: 554 5.7.1 your address is on a block list", BLOCKED),
    "blocked-technical": sendgrid(K.BOUNCED, "Technical Failure: 421 4.4.2 connection dropped", BLOCKED),
    "blocked-content": sendgrid(K.BOUNCED, "Content: 554 5.7.1 refused because of https://mail.example.com/…", BLOCKED),
    "blocked-frequency": sendgrid(
        K.BOUNCED,
        "Frequency or Volume Too High: 452 4.2.1 receiving mail at a rate that is too high",
        SOFT,
    ),
    "bounce-without-type": sendgrid(K.BOUNCED, "500 unknown recipient", SOFT),
    "bounce-without-type-no-such-address": sendgrid(K.BOUNCED, "550 5.1.1 no such user", HARD),
    "bounce-without-type-invalid-address": sendgrid(K.BOUNCED, "Invalid Address: 500 unknown recipient", HARD),
    "dropped-bounced-address": sendgrid(K.REJECTED, "Bounced Address", HARD),
    "dropped-invalid": sendgrid(K.REJECTED, "Invalid", HARD),
    "dropped-unsubscribed-address": sendgrid(K.REJECTED, "Unsubscribed Address", also=K.UNSUBSCRIBED),
    "dropped-spam-reporting-address": sendgrid(K.REJECTED, "Spam Reporting Address", also=K.COMPLAINED),
    "dropped-invalid-smtpapi-header": sendgrid(K.REJECTED, "Invalid SMTPAPI header"),
    "dropped-spam-content": sendgrid(K.REJECTED, "Spam Content"),
    "dropped-recipient-list-over-package-quota": sendgrid(K.REJECTED, "Recipient List over Package Quota"),
    "spamreport": sendgrid(K.COMPLAINED),
    "unsubscribe": sendgrid(K.UNSUBSCRIBED),
    "group-unsubscribe": sendgrid(K.UNSUBSCRIBED),
    "group-resubscribe": NOTHING,
    "account-status-change": NOTHING,
    "open": LEFT_OUT,
    "click": LEFT_OUT,
}

POSTMARK: dict[str, Expected] = {
    "delivery": postmark(K.DELIVERED, "smtp;250 2.0.0 OK"),
    "bounce-hard-bounce": postmark(
        K.BOUNCED,
        "HardBounce: smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        HARD,
    ),
    "bounce-transient": postmark(K.DEFERRED, "Transient: smtp;450 4.2.0 try later"),
    "bounce-unsubscribe": postmark(K.UNSUBSCRIBED, f"Unsubscribe: {SAID}"),
    "bounce-subscribe": NOTHING,
    "bounce-auto-responder": postmark(K.BOUNCED, f"AutoResponder: {SAID}", ANSWERED),
    "bounce-address-change": postmark(K.BOUNCED, f"AddressChange: {SAID}", ANSWERED),
    "bounce-dns-error": postmark(K.DEFERRED, "DnsError: A temporary DNS error."),
    "bounce-spam-notification": postmark(K.BOUNCED, "SpamNotification: smtp;554 5.7.1 classified as spam", BLOCKED),
    "bounce-open-relay-test": NOTHING,
    "bounce-unknown": postmark(K.BOUNCED, "Unknown: smtp;500", SOFT),
    "bounce-soft-bounce": postmark(K.BOUNCED, "SoftBounce: smtp;452 4.2.2 mailbox full", SOFT),
    "bounce-virus-notification": postmark(K.BOUNCED, "VirusNotification: smtp;554 virus", BLOCKED),
    "bounce-challenge-verification": postmark(K.BOUNCED, f"ChallengeVerification: {SAID}", ANSWERED),
    "bounce-bad-email-address": postmark(
        K.REJECTED, "BadEmailAddress: The address is not a valid email address.", HARD
    ),
    "bounce-spam-complaint": postmark(K.COMPLAINED, f"SpamComplaint: {SAID}"),
    "bounce-manually-deactivated": postmark(K.REJECTED, f"ManuallyDeactivated: {SAID}"),
    "bounce-unconfirmed": postmark(K.REJECTED, f"Unconfirmed: {SAID}"),
    "bounce-blocked": postmark(K.BOUNCED, "Blocked: smtp;554 blocked using a list", BLOCKED),
    "bounce-smtpapi-error": postmark(K.REJECTED, f"SMTPApiError: {SAID}"),
    "bounce-inbound-error": NOTHING,
    "bounce-dmarcpolicy": postmark(K.REJECTED, "DMARCPolicy: smtp;550 5.7.1 DMARC policy of the domain"),
    "bounce-template-rendering-failed": postmark(K.REJECTED, f"TemplateRenderingFailed: {SAID}"),
    "spam-complaint": postmark(
        K.COMPLAINED,
        "SpamComplaint: The subscriber explicitly marked this message as spam.",
        occurred_at=at(9, 16, 2),
    ),
    "subscription-change-unsubscribed": postmark(K.UNSUBSCRIBED, "ManualSuppression", occurred_at=at(9, 16, 2)),
    "subscription-change-hard-bounce": postmark(K.BOUNCED, "HardBounce", HARD, occurred_at=at(9, 16, 2)),
    "subscription-change-spam-complaint": postmark(K.COMPLAINED, "SpamComplaint", occurred_at=at(9, 16, 2)),
    "subscription-change-by-customer": NOTHING,
    "subscription-change-reactivated": NOTHING,
    "open": LEFT_OUT,
    "click": LEFT_OUT,
}
TABLES = {"ses": SES, "sendgrid": SENDGRID, "postmark": POSTMARK}


@pytest.mark.parametrize("provider", TABLES)
def test_no_payload_is_without_an_entry(provider):
    assert {path.stem for path in (FOLDER / provider).glob("*.json")} == set(TABLES[provider])


@pytest.fixture
def opened(amazon, sns, sendgrid, settings):
    """Return a function that posts a payload like its provider, and returns the webhook and the stored payload."""
    settings.SENDGRID_WEBHOOK_KEY = sendgrid.shown_key()
    settings.POSTMARK_WEBHOOK_AUTH = "postmark:a-password"

    def post(provider, name):
        payload = json.loads((FOLDER / provider / f"{name}.json").read_text())
        if provider == "ses":
            return SesWebhook(), SesWebhook().verify_and_parse(as_posted(sns.notification(payload)))
        if provider == "sendgrid":
            return SendGridWebhook(), SendGridWebhook().verify_and_parse(
                sendgrid.posted(json.dumps([payload]).encode())
            )
        posted = WebhookRequest(json.dumps(payload).encode(), basic_auth("postmark:a-password"))
        return PostmarkWebhook(), PostmarkWebhook().verify_and_parse(posted)

    return post


@pytest.mark.parametrize(("provider", "name"), [(provider, name) for provider in TABLES for name in TABLES[provider]])
def test_payload_has_the_meaning_of_the_table(opened, provider, name):
    webhook, found = opened(provider, name)
    if TABLES[provider][name] == LEFT_OUT:
        assert found.events == []
        return
    (event,) = found.events
    assert webhook.interpret(event.payload) == TABLES[provider][name]
    stored = json.dumps(event.payload)
    assert "a-secret" not in stored
    assert "Confirm your address" not in stored  # the subject
    assert webhook.interpret(json.loads(stored)) == TABLES[provider][name]
