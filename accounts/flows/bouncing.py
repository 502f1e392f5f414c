"""Show members that email to their address bounces, and test the address when they ask."""

from dataclasses import dataclass

from accounts.emails import ADDRESS_CHECK
from accounts.models import User
from accounts.ratelimits import requester_key
from notifications import Draft, Refusal, can_recheck, refusal, request_recheck


@dataclass(frozen=True, kw_only=True)
class Reachability:
    """Why a member's address gets no email, and whether it can be tested now."""

    refusal: Refusal | None
    can_check: bool = False


def reachability(member: User) -> Reachability:
    # Only for the member, who has logged in: it says something about the mailbox.
    found = refusal(member.email)
    return Reachability(refusal=found, can_check=found is Refusal.BOUNCED and can_recheck(member.email))


def request_check(member: User) -> bool:
    """Email the address although it bounced. False if it was tested within a day, or needs no test."""
    draft = Draft(kind=ADDRESS_CHECK.name, to=member.email, user=member, client=requester_key())
    return request_recheck(draft) is not None
