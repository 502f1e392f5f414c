"""Amazon SES' webhook: events that SNS delivers, from event publishing or an identity's notifications.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from notifications.providers.base.answers import refined_bounce
from notifications.providers.base.event_fields import (
    LONGEST_ID,
    detail,
    header_id,
    ours,
    recipient_address,
    section,
    short_line,
    utc_time,
)
from notifications.providers.base.payload import parsed, storable
from notifications.providers.base.webhook import (
    EventMeaning,
    InterpretedEvent,
    MalformedError,
    RawEvent,
    UnknownEventError,
    Webhook,
    WebhookBatch,
    WebhookRequest,
)
from notifications.providers.ses import sns
from notifications.providers.ses.settings import settings
from notifications.rules.outcomes import BounceKind, EventType

# SES publishes this text, which is not JSON, when a topic is set up.
TOPIC_VALIDATED = "Successfully validated SNS topic for Amazon SES event publishing."
# Opens and clicks are not about delivery; "Received" is an inbound email, with its content.
LEFT_OUT = {"Open", "Click", "Received", "AmazonSnsSubscriptionSucceeded"}
# The most recipients of an email: https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MOST_PEOPLE = 50
METADATA_HEADER, ID_HEADER = "x-metadata", "message-id"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The place of the facts in an event of one type. `people` is the list of its addresses."""

    kind: EventType
    section: str
    people: str = ""
    words: tuple[str, ...] = ()


SHAPES = {
    "Send": Shape(kind=EventType.ACCEPTED, section="send"),
    "Delivery": Shape(kind=EventType.DELIVERED, section="delivery", people="recipients", words=("smtpResponse",)),
    "DeliveryDelay": Shape(
        kind=EventType.DEFERRED, section="deliveryDelay", people="delayedRecipients", words=("delayType",)
    ),
    "Bounce": Shape(
        kind=EventType.BOUNCED,
        section="bounce",
        people="bouncedRecipients",
        words=("bounceType", "bounceSubType"),
    ),
    "Complaint": Shape(
        kind=EventType.COMPLAINED,
        section="complaint",
        people="complainedRecipients",
        words=("complaintFeedbackType", "complaintSubType"),
    ),
    "Reject": Shape(kind=EventType.REJECTED, section="reject", words=("reason",)),
    "Rendering Failure": Shape(kind=EventType.REJECTED, section="failure", words=("errorMessage",)),
    "Subscription": Shape(kind=EventType.UNSUBSCRIBED, section="subscription", words=("contactList", "source")),
}
# Permanent includes the suppression lists of SES (OnAccountSuppressionList, Suppressed); the detail names them.
BOUNCES = {
    "Permanent": BounceKind.HARD,
    "Transient": BounceKind.SOFT,
    "Undetermined": BounceKind.SOFT,
}
# On lists of SES; the status in such a bounce comes from SES, not from the recipient's server.
ON_ITS_LISTS = {"NoEmail", "Suppressed", "OnAccountSuppressionList"}
# About this message only.
OF_THE_MESSAGE = {"MessageTooLarge", "ContentRejected", "AttachmentRejected"}
# The other types of feedback (abuse, fraud, virus …) are complaints:
# https://www.iana.org/assignments/marf-parameters/marf-parameters.xhtml
TAKEN_BACK = {"not-spam": EventType.NOT_SPAM}
# Fields from a delivery status notification, which an automatic reply lacks.
STATUS_NOTIFICATION = ("action", "status", "diagnosticCode")


class SesWebhook(Webhook):
    provider = "ses"
    # SNS messages have up to 256 KiB, and quoting lengthens them. The limit matters because the signature is inside, so
    # that a body is parsed before it is verified.
    max_bytes = 512_000

    def missing_settings(self) -> list[str]:
        return [] if settings.SES_WEBHOOK_TOPICS else ["SES_WEBHOOK_TOPICS"]

    def bounce_types(self) -> Mapping[str, EventMeaning]:
        found = BOUNCES | dict.fromkeys(sorted(ON_ITS_LISTS), BounceKind.HARD)
        found |= dict.fromkeys(sorted(OF_THE_MESSAGE), BounceKind.BLOCKED)
        return {name: (EventType.BOUNCED, bounce) for name, bounce in found.items()}

    def verify_and_parse(self, request: WebhookRequest) -> WebhookBatch:
        self.require_settings()
        message = sns.verified(parsed(request.body))
        topic = message["TopicArn"]
        if message["Type"] == sns.Type.SUBSCRIBE:
            sns.confirm_subscription(message)
            return WebhookBatch(note=f"confirmed the subscription to {topic}")
        if message["Type"] == sns.Type.UNSUBSCRIBE:
            # This does not open its URL, which would subscribe again: an operator may have ended the subscription.
            return WebhookBatch(note=f"the subscription to {topic} was ended")
        if message["Message"].strip() == TOPIC_VALIDATED:
            return WebhookBatch(note=f"SES has validated {topic}")
        return batch_of(message["MessageId"], parsed(message["Message"]))

    def interpret(self, payload: dict[str, Any]) -> InterpretedEvent | None:
        shape = SHAPES.get(event_type(payload))
        if shape is None:
            raise UnknownEventError("no table has this type of event")
        said = section(payload, shape.section)
        if shape.kind is EventType.UNSUBSCRIBED and not opts_out(said):
            return None
        mail = section(payload, "mail")
        person = first_recipient(said.get(shape.people))
        message_id, attempt = metadata_of(mail)
        header, receipt = id_in_headers(mail), short_line(mail.get("messageId"), LONGEST_ID)
        return InterpretedEvent(
            kind=TAKEN_BACK.get(short_line(said.get("complaintFeedbackType")), shape.kind),
            recipient=recipient_address(original_recipient(mail, person), message_id, header, receipt),
            bounce=bounce_kind(said, person) if shape.kind is EventType.BOUNCED else None,
            message_id=message_id,
            header_id=header,
            attempt=attempt,
            provider_message_id=receipt,
            occurred_at=utc_time(said.get("timestamp")) or utc_time(mail.get("timestamp")),
            detail=detail(
                detail(*(said.get(word) for word in shape.words), between="/"),
                person.get("diagnosticCode") or person.get("status"),
            ),
        )


def batch_of(message_id: str, event: Any) -> WebhookBatch:
    # The event's id is that of the SNS message.
    if not isinstance(event, dict):
        raise MalformedError("no SES event")
    if event_type(event) in LEFT_OUT:
        note = "a rule for inbound email publishes to this topic" if event_type(event) == "Received" else ""
        return WebhookBatch(note=note)
    return WebhookBatch(
        [
            RawEvent(f"{message_id}:{number}" if number else message_id, storable(one))
            for number, one in enumerate(about_each(without_headers(event)))
        ]
    )


def about_each(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an event for each of the recipients that this one names.

    A complaint names all who may have complained, so it stays as it is.
    """
    shape = SHAPES.get(event_type(event))
    if shape is None or shape.kind is EventType.COMPLAINED:
        return [event]
    said = section(event, shape.section)
    people = said.get(shape.people)
    if not isinstance(people, list) or not 1 < len(people) <= MOST_PEOPLE:
        return [event]
    return [{**event, shape.section: {**said, shape.people: [person]}} for person in people]


def without_headers(event: dict[str, Any]) -> dict[str, Any]:
    # Keeps only the headers with our id. Others have the subject, the link to unsubscribe or other applications' data.
    mail = section(event, "mail")
    kept = {name: value for name, value in mail.items() if name not in {"headers", "commonHeaders"}}
    return {**event, "mail": {**kept, "headers": kept_headers(mail)}}


def kept_headers(mail: dict[str, Any]) -> list[dict[str, Any]]:
    headers = mail.get("headers")
    found = [one for one in headers if isinstance(one, dict)] if isinstance(headers, list) else []
    return [one for one in found if named(one, METADATA_HEADER) or (named(one, ID_HEADER) and header_id(one["value"]))]


def named(header: dict[str, Any], name: str) -> bool:
    return short_line(header.get("name")).lower() == name and "value" in header


def event_type(event: dict[str, Any]) -> str:
    return short_line(event.get("eventType")) or short_line(event.get("notificationType"))


def metadata_of(mail: dict[str, Any]) -> tuple[UUID | None, int | None]:
    # Only event publishing has tags, even if the headers were too long (`headersTruncated`).
    tags = section(mail, "tags")
    found = ours({name: values[0] for name, values in tags.items() if isinstance(values, list) and values})
    for header in kept_headers(mail) if found[0] is None else []:
        try:
            metadata = parsed(header["value"])
        except (KeyError, TypeError, MalformedError):
            continue
        found = ours(metadata) if isinstance(metadata, dict) else found
    return found


def first_recipient(people: Any) -> dict[str, Any]:
    # The list of a delivery has bare addresses.
    first = people[0] if isinstance(people, list) and people else {}
    return first if isinstance(first, dict) else {"emailAddress": first}


def id_in_headers(mail: dict[str, Any]) -> UUID | None:
    # For an email sent by SMTP, the event has only the Message-ID.
    return next((found for one in kept_headers(mail) if (found := header_id(one.get("value")))), None)


def original_recipient(mail: dict[str, Any], person: dict[str, Any]) -> Any:
    # A bounce's address is the status notification's Final-Recipient, which differs if the email was forwarded.
    found = mail.get("destination")
    return found[0] if isinstance(found, list) and len(found) == 1 else person.get("emailAddress")


def bounce_kind(bounce: dict[str, Any], person: dict[str, Any]) -> BounceKind:
    """Return what a bounce says about the address. Raises UnknownEventError.

    SES reports automatic replies as Transient/General: "You are notified of out-of-the-office (OOTO) messages through
    the same method as bounces". They lack a status notification. A bounce without one counts as a reply too, which is
    the safer mistake. A permanent bounce may be about the sender alone (5.7.1, 5.7.26): the recipient's status decides.
    """
    found = BOUNCES.get(short_line(bounce.get("bounceType")))
    if found is None:
        raise UnknownEventError("no table has this type of bounce")
    subtype = short_line(bounce.get("bounceSubType"))
    if found is BounceKind.HARD and subtype in ON_ITS_LISTS:
        return found
    general = short_line(bounce.get("bounceType")) == "Transient" and subtype == "General"
    if general and not any(person.get(name) for name in STATUS_NOTIFICATION):
        return BounceKind.AUTO_REPLY
    reported = BounceKind.BLOCKED if subtype in OF_THE_MESSAGE else found
    return refined_bounce(reported, short_line(person.get("diagnosticCode")), short_line(person.get("status")))


def opts_out(subscription: dict[str, Any]) -> bool:
    # The same type of event reports that a recipient joins a list, or leaves a list or a topic of it.
    preferences = section(subscription, "newTopicPreferences")
    topics = preferences.get("topicSubscriptionStatus")
    statuses = (
        [one.get("subscriptionStatus") for one in topics if isinstance(one, dict)] if isinstance(topics, list) else []
    )
    return preferences.get("unsubscribeAll") is True or "OptOut" in statuses
