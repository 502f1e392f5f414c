"""Interpret what a recipient's server says about the address. Pure.

The same text has the same meaning in an SMTP reply, in a webhook's report and in a later bounce.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.providers.base.answers.words import status_of, worded
from notifications.rules.outcomes import BounceKind

HARD, SOFT, BLOCKED = BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCKED
_FINAL = [BounceKind.AUTO_REPLY, BLOCKED, SOFT, HARD]


@dataclass(frozen=True)
class BounceRow:
    """A row of a table. The first that matches decides. `bounce` None: the text is too vague."""

    pattern: str
    bounce: BounceKind | None
    means: str

    def matches(self, text: str) -> bool:
        return re.search(self.pattern, text, re.IGNORECASE) is not None


# Before the status: Gmail uses 5.2.1 for a mailbox that receives too much at the moment.
FIRST = (
    BounceRow(r"receiving mail (at a rate|too (quickly|fast))", SOFT, "the mailbox receives too much at the moment"),
    BounceRow(r"^5\.1\.0\b.*\b(sender|from address|mail from)\b", BLOCKED, "the sender's address is rejected"),
)
# By enhanced status code: RFC 3463, the IANA registry, and what Microsoft and Google add.
STATUSES = (
    BounceRow(r"^5\.1\.([78]|90)$", BLOCKED, "the sender is rejected, or over a limit"),
    BounceRow(r"^5\.1\.", HARD, "no such address"),
    BounceRow(r"^5\.2\.1$", HARD, "the mailbox is disabled"),
    BounceRow(r"^5\.2\.252$", BLOCKED, "we may not send as this sender"),
    BounceRow(r"^5\.2\.3$", BLOCKED, "the message is too large for the mailbox"),
    BounceRow(r"^4\.1\.", SOFT, "the address is unknown at the moment"),
    BounceRow(r"^[45]\.2\.", SOFT, "the mailbox is full or busy"),
    BounceRow(r"^[45]\.3\.0$", None, "too vague"),
    BounceRow(r"^[45]\.3\.", BLOCKED, "the recipient's system does not accept this message"),
    BounceRow(r"^[45]\.4\.", BLOCKED, "the network or the routing failed"),
    BounceRow(r"^[45]\.6\.", BLOCKED, "the content is not accepted"),
    BounceRow(r"^[45]\.7\.", BLOCKED, "a rule, our reputation or the domain's DMARC policy"),
)
_NO_SUCH_USER = (
    r"(no such|unknown|invalid|non-?existent|inactive|unrouteable) (local )?(user|mailbox|recipient|person|account)"
    r"|(user|mailbox|recipient|account|address)( \S+)? (is |was )?(unknown|not found|does ?n.t exist|does not exist)"
    r"|(user|mailbox|recipient|account)( \S+)? (is )?(invalid|not known)"
    r"|no (mailbox|user|account) (here )?(by|with|of) that name|no such (address|user)"
    r"|(?<!your )(?<!sender )account (that you tried to reach )?(does not exist|is disabled)"
)
# For texts without a clear code. No pattern here may also match a text about the sender.
TEXTS = (
    BounceRow(
        r"(mailbox|inbox|user|account|quota).{0,30}(is )?(full|over ?quota|exceeded)|over ?quota", SOFT, "mailbox full"
    ),
    BounceRow(_NO_SUCH_USER, HARD, "no such mailbox"),
    BounceRow(
        r"\bspam\b|block ?list|black ?list|blocked|reputation|\bDMARC\b|\bSPF\b|\bDKIM\b|policy|virus|content",
        BLOCKED,
        "a rule or our reputation",
    ),
)


def about_address(*said: str) -> BounceKind | None:
    # The first clear code or text decides; None if none is clear.
    lines = [worded(text) for text in said]
    return _clear(lines) or next((row.bounce for line in lines for row in TEXTS if row.matches(line)), None)


def refined_bounce(reported: BounceKind, *said: str) -> BounceKind:
    """Return a bounce's kind; the status of the recipient's server overrides the provider's.

    Text without a status can only make the kind less final.
    """
    kind = about_address(*said)
    less_final = kind and _FINAL.index(kind) < _FINAL.index(reported)
    return _clear(map(worded, said)) or (kind if kind and less_final else reported)


def _clear(lines: Iterable[str]) -> BounceKind | None:
    for line in lines:
        status = status_of(line)
        row = next((row for row in FIRST if row.matches(f"{status} {line}")), None)
        row = row or next((row for row in STATUSES if status and row.matches(status)), None)
        if row and row.bounce:
            return row.bounce
    return None
