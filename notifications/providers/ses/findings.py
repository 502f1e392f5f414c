"""Judge the answers of an SES account. Pure, except for the settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from notifications.providers.base.account import Finding, bad, first_problem, good, note
from notifications.providers.base.sender import sender_address
from notifications.providers.ses.settings import settings

Answer = Mapping[str, Any]

# What tells of a mail's fate; SEND settles a message whose answer was lost.
NEEDED_EVENTS = {"SEND", "DELIVERY", "DELIVERY_DELAY", "BOUNCE", "COMPLAINT", "REJECT"}
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-faq.html; other states are not said to stop anything.
STOPPED = "SHUTDOWN"
HEALTHY = "HEALTHY"


def account(answer: Answer) -> list[Finding]:
    # From GetAccount.
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
            "sending", "shut-down", "SES has shut the account's sending down", "Answer the case that AWS has opened."
        )
    if status != HEALTHY:
        hint = "Too many bounces or complaints, mostly: read AWS' mail before it ends sending."
        return note("sending", "under-review", f"enabled, but the account's status is {status}", hint)
    return good("sending", "enabled", "enabled, the account is healthy")


def _sandbox(answer: Answer) -> Finding:
    if answer.get("ProductionAccessEnabled"):
        return good("sandbox", "outside", "the account is out of it")
    text = "the account is in the sandbox: only verified addresses and SES' mailbox simulator get mail"
    return note("sandbox", "inside", text, "Request production access in the SES console before real people sign up.")


def identity(known: Mapping[str, Answer]) -> list[Finding]:
    # SES may know the address, its domain and those above.
    verified = [name for name, answer in known.items() if answer.get("VerifiedForSendingStatus")]
    if verified:
        return [good("sender", "verified", f"{verified[0]} is verified"), _signing(known)]
    if known:
        name, answer = next(iter(known.items()))
        text = f"{name} is there, but not verified ({answer.get('VerificationStatus', 'no status')})"
        return [
            bad(
                "sender", "not-verified", text, "Publish the DNS records that SES shows, or press the link in its mail."
            )
        ]
    hint = f"Create an identity for its domain in {settings.SES_REGION}, or correct DEFAULT_FROM_EMAIL."
    return [bad("sender", "unknown", f"SES knows no identity for {sender_address()}", hint)]


def _signing(known: Mapping[str, Answer]) -> Finding:
    states = {name: dict(answer.get("DkimAttributes", {})) for name, answer in known.items()}
    signed = [name for name, dkim in states.items() if dkim.get("SigningEnabled") and dkim.get("Status") == "SUCCESS"]
    if signed:
        return good("signature", "signed", f"mail is signed with DKIM for {signed[0]}")
    status = ", ".join(f"{name} {dkim.get('Status', 'not set up')}" for name, dkim in states.items())
    hint = "Turn on Easy DKIM for the domain and publish its three CNAME records."
    return note(
        "signature",
        "not-signed",
        f"mail is not signed for the sender's domain ({status}); DMARC cannot pass by it",
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
    hint = "Make a configuration set with an SNS destination, and name it in SES_CONFIGURATION_SET."
    return note(
        "reports", "no-configuration-set", "no configuration set is used: bounces and complaints stay unknown", hint
    )


def missing_configuration_set(name: str) -> Finding:
    return bad(
        "reports",
        "unknown",
        f"SES knows no configuration set {name}: it refuses all mail",
        "Correct SES_CONFIGURATION_SET.",
    )


def configuration_set(name: str, answer: Answer, destinations: Sequence[Answer]) -> list[Finding]:
    # Whether the set lets email out, and what it reports to a topic that the webhook accepts.
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
        hint = "Add an SNS destination, and let its topic post to our webhook."
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
            "Add it, if it is yours.",
        ),
        (
            bool(missing),
            "events-missing",
            f"{topic} is not told of {', '.join(missing)}",
            "Add these event types to the destination.",
        ),
    )
    return first_problem("reports", problems, otherwise=f"to {topic}")
