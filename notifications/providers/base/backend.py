"""The contract of a provider: send one email, or raise ProviderError."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from anymail.backends.base import AnymailBaseBackend
from anymail.signals import post_send
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from notifications.conf import settings
from notifications.providers.base import connections, deadline
from notifications.providers.base.answers import sentence
from notifications.providers.base.answers.api import AnswerRow
from notifications.providers.base.batch import (
    BatchMessage,
    Composer,
    Entry,
    IncompleteAnswerError,
    NotInBatchError,
    Shares,
)
from notifications.providers.base.compose import compose
from notifications.providers.base.failures import (
    Stage,
    before_the_request,
    not_sent,
    unknown,
    unusable,
    with_evidence,
)
from notifications.providers.base.sending import (
    About,
    Accepted,
    BatchRecipient,
    OutgoingBatch,
    OutgoingEmail,
    ProviderError,
)
from notifications.rules.addresses import NamedAddress
from notifications.rules.retry import ErrorClass

M = TypeVar("M", bound=EmailMultiAlternatives)
A = TypeVar("A")


@dataclass(frozen=True)
class Sending(Generic[M, A]):
    """One call to a provider. `private` are the parts of the email that an answer may repeat."""

    compose: Callable[[], M]
    read: Callable[[M], A]
    private: Callable[[], list[str]]
    # Changes the message, if that would make the provider accept it.
    correct: Callable[[ProviderError], bool] = lambda _: False
    # A refusal may be because of any of several recipients.
    is_shared: bool = False


class RobustPostSend(AnymailBaseBackend):  # type: ignore[misc]
    """Mix in before Anymail's backend: no failing receiver hides an acceptance."""

    def run_post_send(self, message: EmailMultiAlternatives) -> None:
        # Anymail would raise a receiver's exception. Django logs it.
        post_send.send_robust(
            type(self), message=message, status=getattr(message, "anymail_status", None), esp_name=self.esp_name
        )


class Provider(ABC):
    """One provider: its connection, its extra headers, the meaning of its errors."""

    name: ClassVar[str]
    # The name in text.
    title: ClassVar[str]
    # Messages per second that a new account may send; EMAIL_RATE overrides it. None: no limit.
    usual_rate: ClassVar[float | None] = None
    # The meanings of its answers; the first row that matches decides. Empty if it has no HTTP API.
    answers: ClassVar[tuple[AnswerRow, ...]] = ()
    # What distinguishes the documented error shape, for documentation.
    error_shape: ClassVar[str] = ""
    # False if no email reaches a recipient: for a developer's machine only.
    delivers: ClassVar[bool] = True
    # Codes of rejections that a new connection may fix, because it fetches credentials again.
    cured_by_reopening: ClassVar[frozenset[str]] = frozenset()
    # True if the connection marks the start of a request (deadline.begin_request). If not, any failure may follow it.
    marks_requests: ClassVar[bool] = False
    # True if it refuses an email because of its first recipient only, and accepts it without a further one.
    names_refused: ClassVar[bool] = False

    @abstractmethod
    def connect(self) -> BaseEmailBackend:
        """Return a new backend of this provider, unopened."""

    @abstractmethod
    def translate(self, error: Exception) -> ProviderError:
        """Return what an exception of this provider's library means."""

    @abstractmethod
    def missing_settings(self) -> list[str]:
        """Return the names of the missing settings that this provider needs."""

    @property
    def reaches_people(self) -> bool:
        """Return whether email may leave this machine."""
        return self.delivers

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingEmail) -> None:  # noqa: B027 - most need nothing
        """Add what is specific to this provider."""

    def secrets(self) -> list[str]:
        """Return the secrets to remove from answers before they are stored."""
        return []

    def receipt(self, message: EmailMultiAlternatives) -> Accepted:
        """Return the provider's id of a message that it has just accepted."""
        recipients = getattr(getattr(message, "anymail_status", None), "recipients", None) or {}
        # Anymail's summary is a set if it has written an address in two ways.
        ids = [str(one.message_id) for one in recipients.values() if one.message_id]
        return Accepted(ids[0] if ids else "")

    def send(self, mail: OutgoingEmail) -> Accepted:
        """Send one email over this thread's warm connection, within PROVIDER_DEADLINE_S.

        Raises only ProviderError. An unknown exception is ambiguous: the provider may have accepted the email.
        """

        def composed() -> EmailMultiAlternatives:
            message = compose(mail)
            self.prepare(message, mail)
            return message

        is_shared = mail.has_several_recipients and not self.names_refused
        return self._send(Sending(composed, self.receipt, lambda: _private_in(mail), is_shared=is_shared))

    @property
    def largest_batch(self) -> int:
        """Return the most recipients of one batch; 1 if the provider has no batches."""
        return 1

    def send_batch(self, batch: OutgoingBatch) -> list[Accepted | ProviderError]:
        """Send one email to several recipients in one call. Return an answer for each, in their order.

        Only for a provider whose `largest_batch` is above 1, and with at most that many recipients. Raises
        ProviderError if the answer is about the whole call: then it holds for every recipient. If it is ambiguous, the
        provider may have accepted any of the emails.

        If the provider names the recipients because of whom it rejects all, the others are sent again in the same call.
        What can be refused without the provider is refused for that recipient alone, and the call is for the others.
        The answer "not-in-batch" is transient: the provider accepts the email alone (`send`).
        """
        composer = Composer(batch)
        entries = [self._entry(composer, recipient) for recipient in batch.recipients]
        ready = [entry for entry in entries if isinstance(entry, Entry)]
        answers = iter(self._send_entries(composer, ready) if ready else [])
        return [entry if isinstance(entry, ProviderError) else next(answers) for entry in entries]

    def _send_entries(self, composer: Composer, entries: list[Entry]) -> list[Accepted | ProviderError]:
        shares = Shares(entries)
        sending = Sending(
            lambda: composer.message(shares.entries),
            self._answers,
            lambda: [word for entry in entries for word in _private_of(entry)],
            shares.leave_out,
        )
        try:
            return shares.merged(self._send(sending))
        except ProviderError as error:
            # The rejected entries are not uncertain.
            if not shares.has_rejected or error.error_class is not ErrorClass.AMBIGUOUS:
                raise
            uncertain: list[Accepted | ProviderError] = [error] * len(shares.entries)
            return shares.merged(uncertain)

    def answers_to(self, message: BatchMessage) -> list[Accepted | ProviderError]:
        """Return the meaning of the provider's answer to a batch, for each of its entries."""
        raise NotImplementedError(f"{self.title} has no batches")

    def require_fit(self, entry: Entry) -> None:  # noqa: B027 - most take every entry
        """Raise NotInBatchError if the provider accepts this email alone."""

    def _entry(self, composer: Composer, recipient: BatchRecipient) -> Entry | ProviderError:
        try:
            entry = composer.entry(recipient)
            self.require_fit(entry)
        except NotInBatchError as error:
            alone = ProviderError(ErrorClass.TRANSIENT, "not-in-batch", str(error), about=About.MESSAGE)
            alone.never_left = True
            return alone
        except Exception as error:  # noqa: BLE001 - as in `_attempt`: nothing has been sent
            return unusable(type(error).__name__)
        return entry

    def _answers(self, message: BatchMessage) -> list[Accepted | ProviderError]:
        answers = self.answers_to(message)
        if len(answers) != len(message.entries):
            raise IncompleteAnswerError(len(answers))
        return [self._tidy(*one) for one in zip(answers, message.entries, strict=True)]

    def _tidy(self, answer: Accepted | ProviderError, entry: Entry) -> Accepted | ProviderError:
        if isinstance(answer, Accepted):
            return answer
        return answer.with_detail(sentence(answer.detail, [*self.secrets(), *_private_of(entry)]))

    def _send(self, sending: Sending[M, A]) -> A:
        with deadline.within(settings.PROVIDER_DEADLINE_S) as call:
            answer = self._attempt(sending, call)
            if isinstance(answer, ProviderError) and answer.code in self.cured_by_reopening:
                connections.drop(self.name)
                # These connections carried a rejection, not the email.
                call.sockets.clear()
                second = self._attempt(sending, call)
                answer = second
            while isinstance(answer, ProviderError) and call.left_s() > settings.PROVIDER_DEADLINE_S / 2:
                if not sending.correct(answer):
                    break
                call.sockets.clear()
                corrected = self._attempt(sending, call)
                answer = corrected
        # The deadline may have shut the connection down just after the answer.
        if call.is_over or wants_new_connection(answer):
            connections.drop(self.name)
        if isinstance(answer, ProviderError):
            # Raised outside of any handler, so that the library's exception is not its context.
            raise answer.of_several() if sending.is_shared else answer
        return answer

    def _attempt(self, sending: Sending[M, A], call: deadline.Call) -> A | ProviderError:
        stage = Stage.COMPOSING
        call.has_begun = False
        try:
            message = sending.compose()
            stage = Stage.OPENING
            backend = connections.warm(self.name, self.connect)
            stage = Stage.SENDING
            taken = backend.send_messages([message])
            return sending.read(message) if taken else not_sent()
        except Exception as error:  # noqa: BLE001 - the edge: every exception of a library is translated here
            failure = self._meaning(error, stage, call)
            return failure.with_detail(sentence(failure.detail, [*self.secrets(), *sending.private()]))

    def _meaning(self, error: Exception, stage: Stage, call: deadline.Call) -> ProviderError:
        has_begun = stage is Stage.SENDING and (call.has_begun or not self.marks_requests)
        try:
            failure = before_the_request(error, stage, has_begun=has_begun) or self.translate(error)
        except Exception as broken:  # noqa: BLE001 - reading an unexpected answer can fail
            failure = unknown(broken)
        if failure.error_class is ErrorClass.AMBIGUOUS:
            nothing = call.carried_nothing()
            failure = with_evidence(failure, error, stage, carried_nothing=nothing, has_begun=has_begun)
        if call.is_over and failure.error_class in {ErrorClass.AMBIGUOUS, ErrorClass.TRANSIENT}:
            return ProviderError(failure.error_class, "deadline", "the call exceeded its deadline")
        return failure


def wants_new_connection(answer: object) -> bool:
    # The connection may be out of sync with its server, or hold expired credentials.
    return isinstance(answer, ProviderError) and answer.error_class in {
        ErrorClass.AMBIGUOUS,
        ErrorClass.MISCONFIGURED,
    }


def _private_in(mail: OutgoingEmail) -> list[str]:
    first = NamedAddress(mail.to_address, mail.to_name)
    people = [first, *mail.more_to, *mail.cc, *mail.bcc, *mail.reply_to]
    words = [word for one in people for word in _private(one.name, one.address, mail.subject)]
    return [*words, *(file.name for file in mail.attachments)]


def _private(name: str, address: str, subject: str) -> list[str]:
    # An answer may repeat these parts of the email.
    return [address, address.partition("@")[0], name, *name.split(), subject]


def _private_of(entry: Entry) -> list[str]:
    return [*_private(entry.name, entry.address, entry.subject), *entry.fields.values()]
