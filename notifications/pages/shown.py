"""Collect what `{% email_progress %}` shows of one email."""

import time
from dataclasses import dataclass
from functools import cached_property

from notifications import lookup
from notifications.kinds import KINDS
from notifications.pages import waiting
from notifications.pages.progress_link import ProgressLink, progress_address_url, progress_part_url


@dataclass(frozen=True, kw_only=True)
class OnPage:
    """What only the page knows that contains it.

    `poll_url` is where it gets its newer version, if not from the engine; `wait_s`, how long a resend must wait.
    """

    poll_url: str = ""
    wait_s: int = 0


class Shown:
    """The email of a link, as it is now."""

    def __init__(self, link: ProgressLink, on_page: OnPage | None = None) -> None:
        self.link = link
        self._on_page = on_page or OnPage()
        self._awaited = lookup.awaited(link.message_id, resends=link.is_handled_by_engine)
        self.progress = self._awaited.progress

    @property
    def address(self) -> str:
        # A correction changes it.
        own = self._awaited.address if self.link.is_handled_by_engine or not self.link.address else ""
        return own or self.link.address

    @cached_property
    def token(self) -> str:
        return self.link.token()

    @property
    def poll_s(self) -> float:
        return waiting.refresh_after_s(self.progress, max(0.0, time.time() - self.link.since))

    @property
    def poll_url(self) -> str:
        return (self._on_page.poll_url or progress_part_url(self.token)) if self.poll_s else ""

    @property
    def steps(self) -> list[tuple[str, str]]:
        return waiting.steps_at(self.progress)

    @property
    def needs_another_address(self) -> bool:
        return self.progress in waiting.NEEDS_ANOTHER_ADDRESS

    @property
    def resend_url(self) -> str:
        if self.link.resend is not True:
            return "" if self.needs_another_address else self.link.resend or ""
        may_resend = self._may_send and waiting.can_be_resent(self.progress)
        return progress_part_url(self.token) if may_resend else ""

    @property
    def correct_url(self) -> str:
        if self.link.correct is not True:
            return self.link.correct or ""
        kind = KINDS.get(self._awaited.kind)
        may_correct = self._may_send and kind and not kind.requires_account
        return progress_address_url(self.token) if may_correct else ""

    @property
    def _may_send(self) -> bool:
        # The recipient must not undo a cancellation.
        return bool(self._awaited.id) and not self._awaited.is_cancelled

    @property
    def wait_s(self) -> int:
        if self.link.resend is not True:
            return self._on_page.wait_s
        return max(0, round(waiting.PAUSE_S - self._awaited.age_s))

    @property
    def can_be_corrected_now(self) -> bool:
        # The first time immediately: a typo is often seen as soon as the page shows it.
        is_first = self._awaited.id == self.link.message_id
        return is_first or self._awaited.age_s >= waiting.PAUSE_S

    @property
    def version(self) -> str:
        # Identifies the content.
        return f"{self.progress}-{self.poll_s}-{bool(self.resend_url)}-{self._awaited.id}"
