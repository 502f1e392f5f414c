"""Interpret a reply of an SMTP server, depending on the step. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from notifications.providers.base.answers.bounced import about_address
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
    REFUSES_SOME,
    REFUSES_US,
    SERVER_LATER,
    THROTTLED,
    UNKNOWN,
    Meaning,
)
from notifications.providers.base.answers.words import status_of, worded
from notifications.rules.outcomes import BounceKind

# RFC 5321 defines the class of a reply (4yz later, 5yz never), RFC 3463 the subject. Neither separates replies about
# us from replies about the recipient, and Postfix delays its rejection of a client or a sender until the first
# recipient. So the rows also match texts of common servers.


class Step(StrEnum):
    GREETING = "greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"  # the command, and the message itself


ANY = frozenset(Step)
SESSION = frozenset({Step.GREETING, Step.EHLO, Step.STARTTLS, Step.AUTH, Step.MAIL})
NOT_RCPT, NOT_STARTTLS = ANY - {Step.RCPT}, ANY - {Step.STARTTLS}
RCPT, DATA = frozenset({Step.RCPT}), frozenset({Step.DATA})
TO_ONE = RCPT | DATA
LATER, NEVER, EITHER = "4", "5", "45"


@dataclass(frozen=True, kw_only=True)
class ReplyRow:
    """A row of the table. The first that matches decides.

    `says` and `excepting` describe the patterns for the documentation.
    """

    meaning: Meaning
    says: str = ""
    excepting: str = ""
    steps: frozenset[Step] = ANY
    classes: str = EITHER
    codes: frozenset[int] = frozenset()
    status: str = ""
    text: str = ""
    unless: str = ""

    def matches(self, reply: "Reply") -> bool:
        return (
            reply.step in self.steps
            and str(reply.code)[:1] in self.classes
            and (not self.codes or reply.code in self.codes)
            and _has(self.status, reply.status)
            and _has(self.text, reply.text)
            and not (self.unless and _has(self.unless, f"{reply.status} {reply.text}"))
        )


@dataclass(frozen=True)
class Reply:
    step: Step
    code: int
    text: str

    @property
    def status(self) -> str:
        return status_of(self.text)


def _has(pattern: str, text: str) -> bool:
    return not pattern or re.search(pattern, text, re.IGNORECASE) is not None


# Statuses and texts about the address or its mailbox, even if the text has other words too.
_OF_THE_MAILBOX = (
    r"^[45]\.(1\.(?!([78]|90)\b)|2\.(?!252\b))|no such (user|mailbox|recipient|address|person)"
    r"|unknown (user|mailbox|recipient)|(user|mailbox|recipient) unknown|(undeliverable|unverified) address|callout"
)
_GREYLISTED = r"gr[ae]y-?list|postgrey|receiving mail at a rate|user you are trying to contact"
_SPENT = (
    r"(daily|hourly|monthly|24.hour|sending|messages?|submission|outgoing) (\S+ ){0,4}(quota|limit)\b.{0,40}"
    r"(exceeded|reached|used up)|(exceeded|reached) (\S+ ){0,6}(daily|hourly|monthly|sending|message) (\S+ ){0,3}"
    r"(quota|limit)|credits? (are |is |has been )?(exceeded|exhausted|used up)|out of credits"
)
_TOO_FAST = (
    r"throttl|too many\b(?! (hops|received))|\brates?\b|too (fast|quickly|frequent)|slow down"
    r"|(connection|thread) limit|concurren"
)
_RELAY = (
    r"relay(ing)?( access| attempt| of mail)?( (to|from|for|through) \S+)?( is| was)? (denied|prohibited|disallowed"
    r"|rejected|not (permitted|allowed|authori[sz]ed))|(unable|not (permitted|allowed|authori[sz]ed)) to relay"
    r"|(cannot|do not|don.t) relay|not (allow|permit|do|accept) relaying|does not (allow )?relay|no relay|rcpthosts"
)
_ACCOUNT = (
    r"(suspend|disabl|deactivat|terminat|block|lock|restrict|paus|expir|not (active|allowed|authori[sz]ed|permitted"
    r"|enabled|verified)|on hold|under review)"
)
_OURS = (
    rf"\b(your|sending|sender.?s?|smtp|api) (account|access|user|subscription|plan|organi[sz]ation|tenant"
    rf"|service|identity)\b.{{0,60}}{_ACCOUNT}"
    rf"|\bsending( is| has been| was)?( temporarily)? {_ACCOUNT}"
    r"|not( been| yet)? verified|unverified (sender|domain)|sandbox (mode|account|domain)|in (the|a) sandbox"
    r"|sender( address| domain| verify| identity)?\b.{0,60}(rejected|denied|refused|failed|not (allowed|owned|verified"
    r"|found|authori[sz]ed|permitted))"
    r"|send-?as ?denied|not (allowed|authori[sz]ed|permitted) to send (as|from|on behalf|mail as)|permission to send"
    r"|authentication (is )?(required|failed|unsuccessful|needed)|authentication credentials invalid"
    r"|not authenticated|must (authenticate|issue a starttls)|auth(entication)? required"
    r"|(log ?in|auth( command)?) first"
    r"|envelope sender|badmailfrom|(client host|helo command) rejected|\bclient host\b.{0,60}\bblocked\b"
)
# Rules of one recipient, and recipients' servers' opinion of a domain or an IP address.
_OF_A_GROUP = (
    r"^5\.7\.(124|129|13[0-9]|2[0-9]|509|515|6[0-9][0-9])\b|for ?group|for ?mailbox|this (group|recipient|list)"
    r"|\b(recipient|user|mailbox|customer).?s? (account|policy|rule|setting)|by the recipient|\b(SPF|DKIM|DMARC)\b"
)

ROWS = (
    ReplyRow(says="a daily limit of ours", meaning=QUOTA_SPENT, status=r"^5\.(4\.5|1\.90)$"),
    ReplyRow(says="Exchange's quota of a sender", meaning=QUOTA_SPENT, text="SubmissionQuotaExceeded"),
    ReplyRow(says="Exchange's send as denied", meaning=REFUSES_US, text="SendAsDenied"),
    ReplyRow(says="log in first", meaning=REFUSES_US, classes=NEVER, codes=frozenset({530, 534, 535, 538})),
    ReplyRow(says="our sender is refused", meaning=REFUSES_US, status=r"^5\.(1\.[78]|2\.252)$"),
    ReplyRow(says="relaying denied", meaning=REFUSES_SOME, status=r"^5\.7\.(54|64)$"),
    ReplyRow(
        says="our log-in, sender, tenant or account is refused",
        meaning=REFUSES_US,
        status=r"^5\.7\.(8|9|11|14|57|60|367|50[123]|7[0-4][0-9]|750)$",
    ),
    # A message, a mailbox and a recipient's server have limits too.
    ReplyRow(
        says="mailbox full, over quota",
        meaning=MAILBOX_FULL,
        steps=TO_ONE,
        classes=NEVER,
        text=r"mailbox.{0,30}(full|quota|limit)|over ?quota",
    ),
    # RFC 5321's text for 552 is about storage; servers also use it for a message's size.
    ReplyRow(
        says="storage or quota exceeded",
        meaning=MAILBOX_FULL,
        steps=TO_ONE,
        classes=NEVER,
        codes=frozenset({552}),
        text=r"storage|quota",
        unless=r"^5\.([167]\.|3\.4|2\.3)|size|too (large|big|long)",
        excepting="the message's size",
    ),
    ReplyRow(says="too large", meaning=MESSAGE_REFUSED, classes=NEVER, status=r"\.(3\.4|2\.3)$"),
    ReplyRow(
        says="too large",
        meaning=MESSAGE_REFUSED,
        classes=NEVER,
        codes=frozenset({552}),
        unless=r"^5\.[1267]\.",
        excepting="a status 5.1, 5.2, 5.6 or 5.7",
    ),
    ReplyRow(
        says="a quota or limit for a day, an hour, for sending",
        meaning=QUOTA_SPENT,
        text=_SPENT,
        unless=rf"{_OF_THE_MAILBOX}|mailbox",
        excepting="the mailbox's",
    ),
    ReplyRow(says="an unusual rate", meaning=THROTTLED, status=r"^[45]\.7\.28$"),
    ReplyRow(
        says="throttling, too many, rate, too fast, slow down",
        meaning=THROTTLED,
        text=_TOO_FAST,
        unless=rf"{_OF_THE_MAILBOX}|{_GREYLISTED}",
        excepting="the mailbox's, or greylisting",
    ),
    ReplyRow(
        says="slow down",
        meaning=THROTTLED,
        steps=NOT_STARTTLS,
        classes=LATER,
        status=r"^4\.7\.0$",
        unless=rf"authenticat|{_GREYLISTED}",
        excepting="a log-in that fails for now, or greylisting",
    ),
    ReplyRow(
        says="relaying denied",
        meaning=REFUSES_SOME,
        classes=NEVER,
        text=_RELAY,
        unless=_OF_THE_MAILBOX,
        excepting="the mailbox's",
    ),
    ReplyRow(
        says="account or sending suspended, sender not verified or not ours, authentication required, sandbox",
        meaning=REFUSES_US,
        classes=NEVER,
        text=_OURS,
        unless=rf"{_OF_THE_MAILBOX}|{_OF_A_GROUP}",
        excepting="the mailbox's, a group's members only, DMARC and banned IP addresses",
    ),
    ReplyRow(
        says="account suspended, disabled, blocked",
        meaning=REFUSES_US,
        steps=NOT_RCPT,
        classes=NEVER,
        text=rf"\baccount\b.{{0,40}}{_ACCOUNT}",
        unless=rf"{_OF_THE_MAILBOX}|{_OF_A_GROUP}",
        excepting="the recipient's",
    ),
    ReplyRow(
        says="account suspended, disabled, blocked",
        meaning=REFUSES_US,
        classes=NEVER,
        status=r"^5\.7\.",
        text=rf"\baccount\b.{{0,40}}{_ACCOUNT}",
        unless=rf"tried to reach|{_OF_THE_MAILBOX}|{_OF_A_GROUP}",
        excepting="the recipient's",
    ),
    # Before the first recipient, every reply is about the server or about us.
    ReplyRow(meaning=OUTAGE, steps=SESSION, classes=LATER),
    ReplyRow(
        says="client host, HELO or sender rejected",
        meaning=OUTAGE,
        classes=LATER,
        text=r"(client host|helo command|sender address) rejected",
        unless=_GREYLISTED,
        excepting="greylisting",
    ),
    ReplyRow(meaning=REFUSES_US, steps=SESSION, classes=NEVER),
    ReplyRow(says="greylisting", meaning=GREYLISTED, steps=RCPT, classes=LATER, text=_GREYLISTED, unless=r"^4\.[12]\."),
    ReplyRow(meaning=GREYLISTED, steps=RCPT, classes=LATER, status=r"^4\.7\."),
    ReplyRow(meaning=SERVER_LATER, steps=RCPT, classes=LATER, status=r"^4\.[3-6]\."),
    ReplyRow(meaning=RECIPIENT_LATER, steps=RCPT, classes=LATER),
    ReplyRow(meaning=RECIPIENT_LATER, steps=DATA, classes=LATER, status=r"^4\.[12]\."),
    ReplyRow(meaning=OUTAGE, steps=DATA, classes=LATER, codes=frozenset({421})),
    ReplyRow(meaning=OUTAGE, steps=DATA, classes=LATER, status=r"^4\.3\."),
    ReplyRow(meaning=MESSAGE_LATER, steps=DATA, classes=LATER),
)
# All other 5yz replies to a recipient or a message. Their text is interpreted like that of a bounce.
REFUSED: dict[Step, dict[BounceKind | None, Meaning]] = {
    Step.RCPT: {
        BounceKind.HARD: NO_MAILBOX,
        BounceKind.SOFT: MAILBOX_FULL,
        BounceKind.BLOCKED: RECIPIENT_REFUSES,
        None: MESSAGE_REFUSED,
    },
    Step.DATA: {
        BounceKind.HARD: NO_MAILBOX,
        BounceKind.SOFT: MAILBOX_FULL,
        BounceKind.BLOCKED: MESSAGE_REFUSED,
        None: MESSAGE_REFUSED,
    },
}


def read_reply(step: Step, code: int, text: str) -> Meaning:
    reply = Reply(step, code, worded(text))
    row = next((row for row in ROWS if row.matches(reply)), None)
    if row:
        return row.meaning
    if str(code)[:1] == NEVER and step in REFUSED:
        return REFUSED[step][about_address(reply.text)]
    return UNKNOWN
