"""Evaluate the answers of an SES account. Pure, except for the settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from notifications.providers.base.account import Finding, bad, first_problem, good, note
from notifications.providers.base.sender import sender_address
from notifications.providers.ses.settings import settings

Answer = Mapping[str, Any]

# The events about delivery; SEND settles a message whose answer was lost.
NEEDED_EVENTS = {"SEND", "DELIVERY", "DELIVERY_DELAY", "BOUNCE", "COMPLAINT", "REJECT"}
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-faq.html; it mentions no other state that stops sending.
STOPPED = "SHUTDOWN"
HEALTHY = "HEALTHY"


def account(answer: Answer) -> list[Finding]:
    # `answer` is GetAccount's.
    return [
        good("credentials", "accepted", f"accepted, region {settings.SES_REGION}"),
        _sending(answer),
        _sandbox(answer),
    ]


def _sending(answer: Answer) -> Finding:
    status = str(answer.get("EnforcementStatus", "unknown"))
    if not answer.get("SendingEnabled"):
        return bad(
            "sending", "paused", f"sending is paused for the account (status {status})", "Resume it in the SES console."
        )
    if status == STOPPED:
        return bad(
            "sending", "shut-down", "SES has shut down the account's sending", "Answer the case that AWS has opened."
        )
    if status != HEALTHY:
        hint = "The usual cause is too many bounces or complaints: read AWS' email before AWS stops sending."
        return note("sending", "under-review", f"enabled, but the account's status is {status}", hint)
    return good("sending", "enabled", "enabled, the account is healthy")


def _sandbox(answer: Answer) -> Finding:
    if answer.get("ProductionAccessEnabled"):
        return good("sandbox", "outside", "the account has production access")
    text = "the account is in the sandbox: only verified addresses and SES' mailbox simulator get email"
    return note("sandbox", "inside", text, "Request production access in the SES console before real people sign up.")


def identity(known: Mapping[str, Answer]) -> list[Finding]:
    # SES may know the address, its domain and parent domains.
    verified = [name for name, answer in known.items() if answer.get("VerifiedForSendingStatus")]
    if verified:
        return [good("sender", "verified", f"{verified[0]} is verified"), _signing(known)]
    if known:
        name, answer = next(iter(known.items()))
        text = f"{name} exists, but is not verified ({answer.get('VerificationStatus', 'no status')})"
        return [
            bad(
                "sender", "not-verified", text, "Publish the DNS records that SES shows, or open the link in its email."
            )
        ]
    hint = f"Create an identity for its domain in {settings.SES_REGION}, or correct DEFAULT_FROM_EMAIL."
    return [bad("sender", "unknown", f"SES knows no identity for {sender_address()}", hint)]


def _signing(known: Mapping[str, Answer]) -> Finding:
    states = {name: dict(answer.get("DkimAttributes", {})) for name, answer in known.items()}
    signed = [name for name, dkim in states.items() if dkim.get("SigningEnabled") and dkim.get("Status") == "SUCCESS"]
    if signed:
        return good("signature", "signed", f"email is signed with DKIM for {signed[0]}")
    status = ", ".join(f"{name} {dkim.get('Status', 'not set up')}" for name, dkim in states.items())
    hint = "Turn on Easy DKIM for the domain and publish its three CNAME records."
    return note(
        "signature",
        "not-signed",
        f"email is not signed for the sender's domain ({status}), so DKIM does not pass DMARC",
        hint,
    )


def dkim_names(known: Mapping[str, Answer]) -> list[str]:
    # Easy DKIM publishes the keys of the identity nearest to the sender.
    for name, answer in known.items():
        tokens = answer.get("DkimAttributes", {}).get("Tokens", [])
        if tokens and "@" not in name:
            return [f"{token}._domainkey.{name}" for token in tokens]
    return []


def no_configuration_set() -> Finding:
    hint = "Create a configuration set with an SNS destination, and name it in SES_CONFIGURATION_SET."
    return note("reports", "no-configuration-set", "no configuration set: bounces and complaints stay unknown", hint)


def missing_configuration_set(name: str) -> Finding:
    return bad(
        "reports",
        "unknown",
        f"SES knows no configuration set {name} and rejects all email",
        "Correct SES_CONFIGURATION_SET.",
    )


def configuration_set(name: str, answer: Answer, destinations: Sequence[Answer]) -> list[Finding]:
    # Does the set send email, and what does it report to our topics?
    if answer.get("SendingOptions", {}).get("SendingEnabled") is False:
        return [
            bad(
                "reports",
                "paused",
                f"the configuration set {name} is paused",
                "Enable sending for it in the SES console.",
            )
        ]
    topics = [each for each in destinations if each.get("SnsDestination")]
    if not topics:
        hint = "Add an SNS destination, and subscribe our webhook to its topic."
        return [
            note("reports", "no-topic", f"{name} reports to no SNS topic: bounces and complaints stay unknown", hint)
        ]
    return [_destination(each) for each in topics]


def _destination(answer: Answer) -> Finding:
    topic = str(answer["SnsDestination"].get("TopicArn"))
    missing = sorted(NEEDED_EVENTS - set(answer.get("MatchingEventTypes", [])))
    problems = (
        (not answer.get("Enabled"), "disabled", f"the destination {answer.get('Name')} is switched off", "Enable it."),
        (
            topic not in settings.SES_WEBHOOK_TOPICS,
            "foreign-topic",
            f"{topic} is not in SES_WEBHOOK_TOPICS, and its reports are refused",
            "Add it if it is yours.",
        ),
        (
            bool(missing),
            "events-missing",
            f"{topic} does not receive {', '.join(missing)}",
            "Add these event types to the destination.",
        ),
    )
    return first_problem("reports", problems, otherwise=f"to {topic}")
