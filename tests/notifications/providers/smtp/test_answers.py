"""Replies of real servers and their meanings, without a server."""

import pytest

from notifications.providers.base.answers.meaning import (
    GREYLISTED,
    MAILBOX_FULL,
    MESSAGE_LATER,
    MESSAGE_REFUSED,
    NO_MAILBOX,
    OUTAGE,
    QUOTA_SPENT,
    RECIPIENT_LATER,
    RECIPIENT_REFUSES,
    REFUSES_US,
    SERVER_LATER,
    THROTTLED,
    UNKNOWN,
)
from notifications.providers.base.sending import About
from notifications.providers.smtp.answers import Step, read_reply

BEFORE_A_RECIPIENT = [Step.GREETING, Step.EHLO, Step.STARTTLS, Step.AUTH, Step.MAIL]
GREETING, AUTH, MAIL, RCPT, DATA = Step.GREETING, Step.AUTH, Step.MAIL, Step.RCPT, Step.DATA


@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        # About a recipient, temporarily.
        (RCPT, "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted", RECIPIENT_LATER),
        (RCPT, "451 4.7.1 Greylisting in action, please come back later", GREYLISTED),
        (RCPT, "451 4.7.0 Greylisted, too many new senders", GREYLISTED),
        (RCPT, "450 4.1.2 <a@b.example>: Recipient address rejected: Domain not found", RECIPIENT_LATER),
        (RCPT, "450 4.1.1 <a@b.example>: unverified address: Address verification in progress", RECIPIENT_LATER),
        (RCPT, "452 4.2.2 The email account is over quota", RECIPIENT_LATER),
        (RCPT, "450 4.2.1 The user is receiving mail at a rate that prevents additional messages", RECIPIENT_LATER),
        (RCPT, "450 try later", RECIPIENT_LATER),
        (RCPT, "421 closing", RECIPIENT_LATER),
        (RCPT, "451 4.3.0 Temporary lookup failure", SERVER_LATER),
        (DATA, "452 4.2.2 Mailbox full", RECIPIENT_LATER),
        # About a recipient, permanently.
        (RCPT, "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown", NO_MAILBOX),
        (RCPT, "550 5.1.1 unverified address: Sender address lookup failed", NO_MAILBOX),
        (RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", NO_MAILBOX),
        (RCPT, "550 5.2.1 The email account that you tried to reach is disabled", NO_MAILBOX),
        (RCPT, "550 No such user here", NO_MAILBOX),
        (RCPT, "550 user unknown", NO_MAILBOX),
        (DATA, "550 5.1.1 User unknown", NO_MAILBOX),
        (RCPT, "552 5.2.2 Mailbox full", MAILBOX_FULL),
        (RCPT, "552 mailbox quota exceeded", MAILBOX_FULL),
        (RCPT, "554 5.2.2 mailbox full; daily limit exceeded", MAILBOX_FULL),
        # The recipient's server rejects us or the email.
        (RCPT, "550 5.7.1 <a@b.example>: Recipient address rejected: Access denied", RECIPIENT_REFUSES),
        (RCPT, "550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", RECIPIENT_REFUSES),
        (RCPT, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", RECIPIENT_REFUSES),
        (RCPT, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; sender not authorized", RECIPIENT_REFUSES),
        (RCPT, "550 5.4.1 Recipient address rejected: Access denied", RECIPIENT_REFUSES),
        # About the message.
        (DATA, "554 5.7.1 Message rejected as spam", MESSAGE_REFUSED),
        (DATA, "552 5.3.4 Message size exceeds fixed limit", MESSAGE_REFUSED),
        (MAIL, "552 5.3.4 Message size exceeds fixed limit", MESSAGE_REFUSED),
        (MAIL, "552 too big", MESSAGE_REFUSED),
        (DATA, "554 no", MESSAGE_REFUSED),
        (RCPT, "550 no", MESSAGE_REFUSED),
        (RCPT, "554 5.4.6 too many hops", RECIPIENT_REFUSES),
        (DATA, "451 try later", MESSAGE_LATER),
        (DATA, "451 4.7.1 Greylisted", MESSAGE_LATER),
        # About us, at any step.
        (RCPT, "550 5.7.1 Relaying denied", REFUSES_US),
        (RCPT, "554 5.7.1 <a@b.example>: Relay access denied", REFUSES_US),
        (RCPT, "550 relay not permitted", REFUSES_US),
        (RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts", REFUSES_US),
        (RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", REFUSES_US),
        (RCPT, "550 5.7.64 TenantAttribution; Relay Access Denied", REFUSES_US),
        (RCPT, "550 5.7.1 Account suspended", REFUSES_US),
        (RCPT, "550 5.7.1 Your account has been disabled", REFUSES_US),
        (RCPT, "550 Your account is suspended", REFUSES_US),
        (DATA, "554 account suspended", REFUSES_US),
        (DATA, "550 Sending paused for this account", REFUSES_US),
        (RCPT, "553 5.7.1 <shop@example.com>: Sender address rejected: not owned by user shop", REFUSES_US),
        (RCPT, "550 5.1.8 <shop@example.com>: Sender address rejected: Domain not found", REFUSES_US),
        (DATA, "554 Message rejected: Email address is not verified. The following identities failed", REFUSES_US),
        (DATA, "554 5.2.252 SendAsDenied; shop@example.com not allowed to send as other@example.com", REFUSES_US),
        (MAIL, "530 5.7.57 Client not authenticated to send mail", REFUSES_US),
        (DATA, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", REFUSES_US),
        (DATA, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", REFUSES_US),
        (DATA, "550 5.1.8 Access denied, bad outbound sender", REFUSES_US),
        (RCPT, "530 log in first", REFUSES_US),
        (DATA, "530 5.7.0 Authentication required", REFUSES_US),
        (AUTH, "535 5.7.8 Username and password not accepted", REFUSES_US),
        (GREETING, "554 5.7.1 blocked using a list", REFUSES_US),
        # About the moment.
        (AUTH, "454 Throttling failure: Maximum sending rate exceeded.", THROTTLED),
        (DATA, "454 Throttling failure: Maximum sending rate exceeded.", THROTTLED),
        (MAIL, "421 4.7.0 Try again later", THROTTLED),
        (RCPT, "421 4.7.28 Our system has detected an unusual rate of email", THROTTLED),
        (DATA, "550 5.7.28 unusual rate", THROTTLED),
        (RCPT, "452 4.5.3 Too many recipients", THROTTLED),
        (GREETING, "421 Too many concurrent SMTP connections", THROTTLED),
        (MAIL, "450 rate limit exceeded", THROTTLED),
        (DATA, "454 Throttling failure: Daily message quota exceeded.", QUOTA_SPENT),
        (MAIL, "550 5.4.5 Daily user sending limit exceeded", QUOTA_SPENT),
        (RCPT, "550 5.4.5 quota", QUOTA_SPENT),
        (DATA, "550 You have exceeded your daily sending limit", QUOTA_SPENT),
        (DATA, "550 5.7.1 hourly message limit exceeded", QUOTA_SPENT),
        (AUTH, "454 4.7.0 Temporary authentication failure", OUTAGE),
        (MAIL, "451 4.3.0 Mail server temporarily rejected", OUTAGE),
        (DATA, "452 4.3.1 Insufficient system storage", OUTAGE),
        (DATA, "421 4.3.2 shutting down", OUTAGE),
        (DATA, "999 what", UNKNOWN),
        (DATA, "-1 ", UNKNOWN),
    ],
)
def test_reply(step, reply, expected):
    code, _, text = reply.partition(" ")
    assert read_reply(step, int(code), text) == expected


@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        # Texts of several lines, with the status in any of them.
        (RCPT, "550 Your account\nhas been\nsuspended", REFUSES_US),
        (RCPT, "550 5.7.1 Relay access\n5.7.1 denied", REFUSES_US),
        (RCPT, "550 The email account\n5.1.1 does not exist", NO_MAILBOX),
        # 552 is about storage in RFC 5321, and about size for many servers.
        (RCPT, "552 Requested mail action aborted: exceeded storage allocation", MAILBOX_FULL),
        (DATA, "552 Requested mail action aborted: exceeded storage allocation", MAILBOX_FULL),
        (RCPT, "552 quota exceeded", MAILBOX_FULL),
        (MAIL, "552 exceeded storage allocation", MESSAGE_REFUSED),
        (DATA, "552 message size exceeds the storage quota", MESSAGE_REFUSED),
        (DATA, "552 5.2.3 exceeds the quota for a message", MESSAGE_REFUSED),
        (MAIL, "452 4.3.1 Insufficient system storage", OUTAGE),
        # Postfix delays the rejection of a client, HELO or sender until the recipient.
        (RCPT, "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", REFUSES_US),
        (RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org", REFUSES_US),
        (RCPT, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", REFUSES_US),
        (RCPT, "503 AUTH first (#5.5.1)", REFUSES_US),
        (RCPT, "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)", REFUSES_US),
        (RCPT, "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", OUTAGE),
        (RCPT, "450 4.1.8 <shop@example.com>: Sender address rejected: Domain not found", OUTAGE),
        (RCPT, "450 4.7.1 <x[192.0.2.1]>: Client host rejected: Greylisted", GREYLISTED),
        # One recipient's server, even if ours repeats it.
        (RCPT, "451 4.7.1 Please try again later", GREYLISTED),
        (RCPT, "450 Greylisted, see you", GREYLISTED),
        (RCPT, "451 4.4.3 Temporary lookup failure", SERVER_LATER),
        (RCPT, "550 5.7.1 The user's account is disabled", RECIPIENT_REFUSES),
        (RCPT, "550 5.7.1 Sender domain rejected by the recipient's policy", RECIPIENT_REFUSES),
        (RCPT, "550 rejected because sender SPF not authorized", RECIPIENT_REFUSES),
        (RCPT, "550 Callout verification failed: relay access denied", MESSAGE_REFUSED),
        (RCPT, "550 5.1.1 <a@b.example>: undeliverable address: host said: 554 Relay access denied", NO_MAILBOX),
        (RCPT, "550 5.1.0 <shop@example.com> sender rejected", RECIPIENT_REFUSES),
        (RCPT, "550-5.2.1 The user you are trying to contact is receiving mail at a rate that\n5.2.1 x", MAILBOX_FULL),
        # Exchange.
        (DATA, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", REFUSES_US),
        (DATA, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed", QUOTA_SPENT),
        (RCPT, "550 5.1.90 You have reached your daily limit for message recipients", QUOTA_SPENT),
        (DATA, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", THROTTLED),
        (DATA, "550 5.7.703 Access denied, tenant has exceeded threshold", REFUSES_US),
        # A loop is about the message.
        (DATA, "554 Too many received headers, mail loop", MESSAGE_REFUSED),
        (Step.STARTTLS, "454 4.7.0 TLS not available due to local problem", OUTAGE),
    ],
)
def test_reply_of_common_servers(step, reply, expected):
    code, _, text = reply.partition(" ") if reply[3] == " " else (reply[:3], "", reply[4:])
    assert read_reply(step, int(code), text) == expected


MISLEADING_ADDRESSES = [
    f"{mailbox}@{host}"
    for mailbox in ("relaying", "rates", "throttle", "too-many", "sandbox", "rcpthosts", "over-quota")
    for host in ("b.example", "sandbox.example", "relaying.example")
]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.7.1 <{}>: Recipient address rejected: Access denied", RECIPIENT_REFUSES),
        ("450 4.2.1 <{}>: busy", RECIPIENT_LATER),
        ("550 <{}> no such user", NO_MAILBOX),
        ("550 {}: unknown user", NO_MAILBOX),
        ("550 <{}> refused", MESSAGE_REFUSED),
    ],
)
def test_words_in_an_address_that_the_server_repeats_are_ignored(reply, expected):
    code, _, text = reply.partition(" ")
    meanings = {address: read_reply(RCPT, int(code), text.format(address)) for address in MISLEADING_ADDRESSES}
    assert {address: meaning for address, meaning in meanings.items() if meaning != expected} == {}


@pytest.mark.parametrize("name", ["throttle", "sandbox", "relaying"])
def test_name_of_a_mailbox_is_ignored(name):
    assert read_reply(RCPT, 550, f"No such user {name} here") == NO_MAILBOX


@pytest.mark.parametrize("step", BEFORE_A_RECIPIENT)
@pytest.mark.parametrize(("code", "expected"), [(421, OUTAGE), (451, OUTAGE), (500, REFUSES_US), (554, REFUSES_US)])
def test_reply_before_the_first_recipient_is_about_the_server_or_us(step, code, expected):
    assert read_reply(step, code, "no") == expected


@pytest.mark.parametrize("text", ["", "no", "4.2.1 busy", "4.3.0 no", "4.4.1 no", "4.7.1 no"])
def test_temporary_reply_about_a_recipient_never_counts_against_the_provider(text):
    meanings = {code: read_reply(RCPT, code, text) for code in range(400, 460)}
    assert {code: it for code, it in meanings.items() if (it.about, it.circuit) != (About.RECIPIENT, "")} == {}
