"""Explain why a message has not arrived, until when, and what to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.models import Message
from notifications.operations import advice
from notifications.outbox.resend import Obstacle
from notifications.rules.suppression import DECIDED_BY_RECIPIENT
from notifications.support.collecting import Collected, collect_evidence
from notifications.support.diagnosis import Diagnosis, NextStep, Situation, diagnosis_of
from notifications.support.reasons import OBSTACLES, in_words
from notifications.support.sentences import sentence_of

STEPS_IN_WORDS: dict[NextStep, str | Promise] = {
    NextStep.NOTHING: gettext_lazy("Nothing to do."),
    NextStep.WAIT: gettext_lazy("Wait. Mailroom continues automatically."),
    NextStep.RETRY_NOW: gettext_lazy("Wait, or retry it now."),
    NextStep.RESEND: gettext_lazy("Resend it, if the recipient still needs it."),
    NextStep.REPLAY: gettext_lazy("Fix the cause, then replay it."),
    NextStep.SETTLE: gettext_lazy("Find it in the provider's log, then settle it."),
    NextStep.LIFT_SUPPRESSION: gettext_lazy(
        "Ask the user to check the address. If it is right, lift the suppression, then resend the message."
    ),
    NextStep.OPEN_COPY: OBSTACLES[Obstacle.RESENT],
    NextStep.RELEASE_HELD: gettext_lazy("Wait, or release the brake's queue (manage.py bounce_brake)."),
    NextStep.RESUME: gettext_lazy("Resume it on the page Steering (or by manage.py resume)."),
    NextStep.CHECK_STATUS: gettext_lazy("The dashboard shows which process or service to start."),
    NextStep.CHECK_PROVIDER: gettext_lazy("Read the provider's last answer, and check its set-up."),
    NextStep.RESTART_WORKERS: gettext_lazy("Restart workers that run an older version."),
    NextStep.CHECK_SPAM: gettext_lazy("Ask the user to check the spam folder and filters."),
    NextStep.CHECK_ADDRESS: gettext_lazy("Ask the user to check the address for typos."),
}
LIFT_IF_WANTED = gettext_lazy(
    "The recipient wants no such email. Lift the suppression only if the user asks for our email again."
)


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What to do next. `target` is the id of the message, copy or suppression that it is about."""

    code: NextStep
    text: str
    target: UUID | int


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a message has not arrived, read at `now` on the database's clock.

    `eta_s`: seconds until it is tried or its status changes, None if that is unknown or it has ended. `ahead`: how many
    messages are sent before it, None if that is not what it waits for.
    """

    code: Situation
    sentence: str
    step: Recommendation
    now: datetime
    eta_s: float | None = None
    eta_at: datetime | None = None
    ahead: int | None = None
    # Why a worker would not send it, as it would be stored.
    skip_reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code.value,
            "sentence": self.sentence,
            "eta_s": None if self.eta_s is None else round(self.eta_s),
            "eta_at": self.eta_at.isoformat(timespec="seconds") if self.eta_at else None,
            "ahead": self.ahead,
            "next_step": self.step.code.value,
            "next_step_text": self.step.text,
        }


def explain(message: Message) -> Explanation:
    """Explain one message, in the active language. Raises database errors, but not those of Redis."""
    found = collect_evidence(message)
    diagnosis = diagnosis_of(found.evidence)
    eta_s = diagnosis.eta_s
    return Explanation(
        code=diagnosis.situation,
        sentence=sentence_of(message, diagnosis, found),
        step=_step_of(message, diagnosis, found),
        now=found.now,
        eta_s=eta_s,
        eta_at=None if eta_s is None else found.now + timedelta(seconds=eta_s),
        ahead=diagnosis.ahead,
        skip_reason=found.skip.reason if found.skip else "",
    )


def _step_of(message: Message, diagnosis: Diagnosis, found: Collected) -> Recommendation:
    target: UUID | int = message.id
    if diagnosis.step is NextStep.OPEN_COPY and found.newer:
        target = found.newer.id
    elif diagnosis.step is NextStep.LIFT_SUPPRESSION and found.suppression:
        target = found.suppression.pk
    return Recommendation(code=diagnosis.step, text=_step_in_words(message, diagnosis, found), target=target)


def _step_in_words(message: Message, diagnosis: Diagnosis, found: Collected) -> str:
    if Situation.PROVIDERS_REFUSE in {diagnosis.situation, diagnosis.blocked_by} and found.circuits:
        return " ".join(dict.fromkeys(str(advice.about(one.error_class).step) for one in found.circuits))
    if diagnosis.step is NextStep.NOTHING and found.skip and diagnosis.situation is not Situation.WILL_END:
        text = _("Nothing to do: a copy would not be sent. %(reason)s.")
        return text % {"reason": in_words(found.skip.reason, message.kind)}
    suppression = found.suppression if diagnosis.step is NextStep.LIFT_SUPPRESSION else None
    is_decided = suppression is not None and suppression.reason in DECIDED_BY_RECIPIENT
    return str(LIFT_IF_WANTED if is_decided else STEPS_IN_WORDS[diagnosis.step])
