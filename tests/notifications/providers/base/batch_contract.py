"""The contract tests of every provider that has batches, by inheritance, against the simulator."""

from typing import Any
from uuid import uuid4

import pytest

from notifications.providers.base import connections, deadline
from notifications.providers.base.sending import About, Accepted, BatchRecipient, OutgoingBatch, ProviderError
from notifications.rules.addresses import NamedAddress
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.edge import ProviderEdge
from tests.notifications.providers.base.outgoing import SUBJECT

HTML, TEXT = "token-a1-html", "token-a1-text"
LIST_HEADERS = ("List-Unsubscribe", "List-Unsubscribe-Post")


def recipient(number: int = 0, **changes: Any) -> BatchRecipient:
    values = {
        "message_id": uuid4(),
        "attempt": 3,
        "to_address": f"ada{number}.canary@example.com",
        "to_name": f"Ada, Canary {number} 🎩",
        "headers": {
            "Auto-Submitted": "auto-generated",
            "Message-ID": f"<{number}@example.com>",
            "List-Unsubscribe": f"<https://mail.example.com/unsubscribe/{number}/>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        "fields": {HTML: f"A&amp;B canary{number} 🎩", TEXT: f"A&B canary{number} 🎩"},
    }
    return BatchRecipient(**{**values, **changes})


def batch_to(*recipients: BatchRecipient, **changes: Any) -> OutgoingBatch:
    values = {
        "from_email": "Shop <shop@example.com>",
        "subject": f"{SUBJECT}: {TEXT}",
        "text": f"Hello\n{TEXT}, {{{{braces}}}} and {TEXT}",
        "html": f"<p>Hello {HTML} {{{{braces}}}}</p>",
        "recipients": recipients,
    }
    return OutgoingBatch(**{**values, **changes})


class BatchEdge(ProviderEdge):
    def batch_refusal(self, provider, batch):
        with pytest.raises(ProviderError) as refused:
            provider.send_batch(batch)
        error = refused.value
        assert (error.__cause__, error.__context__) == (None, None)
        self.is_tidy(error)
        return error

    def is_tidy(self, error):
        assert "canary" not in f"{error!r} {error} {vars(error)}".lower()

    def batch_refused_by(self, act, at, count=2):
        with faults.fault_server(act) as server:
            at(server.port)
            error = self.batch_refusal(self.made(), batch_to(*map(recipient, range(count))))
            assert (server.connections, len(server.requests)) == (1, 1)
        return error


class BatchContract(BatchEdge):
    """Add it to a contract with the simulator."""

    own_headers: tuple[str, ...] = ("Message-ID", "Auto-Submitted", *LIST_HEADERS)

    def test_every_email_of_a_batch_has_the_answers_address_and_the_tags(self, provider, taken):
        reply_to = (NamedAddress("support@example.com", "Süpport"),)
        provider.send_batch(batch_to(recipient(0), recipient(1), reply_to=reply_to, tags=("news", "2026")))
        entries = taken()
        assert [entry["reply_to"] for entry in entries] == [["support@example.com"]] * 2
        assert [self.labels_of(entry) for entry in entries] == [["news", "2026"]] * 2

    def test_batch_is_the_same_emails_as_alone(self, provider, taken):
        batch = batch_to(
            recipient(1),
            recipient(2, to_name=""),
            recipient(3, to_address="ada@bücher.example.com", to_name='A "quoted" \\ name'),
            recipient(4, to_name="=?utf-8?q?www.evil.example?=", fields={HTML: "=?x", TEXT: "=?utf-8?q?x?= {{x}}"}),
            recipient(5, fields={HTML: "", TEXT: ""}),
            recipient(6, fields={HTML: "<b>\n\t\"'{{}}", TEXT: f"{'long ' * 100}\N{HEAVY BLACK HEART}"}),
        )
        answers = provider.send_batch(batch)
        assert all(isinstance(answer, Accepted) and answer.provider_message_id for answer in answers)
        assert len({answer.provider_message_id for answer in answers}) == 6
        for one in batch.recipients:
            provider.send(batch.email_to(one))
        entries = [self.compared(entry) for entry in taken()]
        assert entries[:6] == entries[6:]
        links = [entry["headers"]["List-Unsubscribe"] for entry in entries[:6]]
        assert links == [f"<https://mail.example.com/unsubscribe/{number}/>" for number in range(1, 7)]

    def compared(self, entry):
        """Return the parts that a batch must not change."""
        entry["metadata"].pop("anymail_id", None)
        shown = {name: entry[name].strip() for name in ("to", "to_name", "sender", "subject", "text", "html")}
        headers = {name: entry["headers"][name] for name in self.own_headers}
        return shown | {"metadata": entry["metadata"], "headers": headers}

    def test_email_of_a_batch_contains_its_own_id_and_attempt(self, provider, taken):
        # Two messages may have one address.
        batch = batch_to(recipient(1), recipient(1, attempt=7))
        provider.send_batch(batch)
        found = [entry["metadata"] for entry in taken()]
        assert [metadata["mailroom_message_id"] for metadata in found] == [
            str(one.message_id) for one in batch.recipients
        ]
        assert [metadata["mailroom_attempt"] for metadata in found] == ["3", "7"]
        assert "canary" not in str(found).lower()

    def test_largest_batch_is_accepted_in_one_call(self, provider, taken, running):
        calls = running.calls(limit=1)[-1]["seq"] if running.calls(limit=1) else 0
        count = provider.largest_batch
        assert count > 1
        answers = provider.send_batch(batch_to(*map(recipient, range(count))))
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert [entry["to"] for entry in taken()] == [f"ada{number}.canary@example.com" for number in range(count)]
        assert len(running.calls(after=calls)) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"to_address": "ada@example.com, eve@example.com"},
            {"to_address": "ada@example.com\r\nBcc: eve@example.com"},
            {"to_name": "Ada\r\nBcc: eve@example.com"},
            {"headers": {"X-Test": "x\r\nBcc: eve@example.com"}},
            {"headers": {"Bcc": "eve@example.com"}},
            {"fields": {HTML: "x", TEXT: "x\r\nBcc: eve@example.com"}},
            {"fields": {HTML: "x", TEXT: "half a character: \ud83c"}},
            {"fields": {HTML: "half a character: \ud83c", TEXT: "x"}},
            {"fields": {}},
        ],
    )
    def test_unsafe_recipient_is_refused_alone_before_sending(self, provider, taken, changes):
        answers = provider.send_batch(batch_to(recipient(1), recipient(2, **changes), recipient(3)))
        assert [isinstance(answer, Accepted) for answer in answers] == [True, False, True]
        assert (answers[1].error_class, answers[1].never_left) == (ErrorClass.PERMANENT, True)
        self.is_tidy(answers[1])
        assert [entry["to"] for entry in taken()] == ["ada1.canary@example.com", "ada3.canary@example.com"]

    def test_recipient_with_an_empty_email_is_refused_alone(self, provider, taken):
        empty = recipient(2, fields={HTML: " \n", TEXT: "x"})
        answers = provider.send_batch(batch_to(recipient(1), empty, html=HTML))
        assert answers[1].error_class is ErrorClass.PERMANENT
        assert len(taken()) == 1

    def test_batch_of_refused_recipients_calls_no_provider(self, provider, taken):
        (answer,) = provider.send_batch(batch_to(recipient(1, to_address="")))
        assert answer.error_class is ErrorClass.PERMANENT
        assert taken() == []

    def does_not_fit_but_is_sent_alone(self, provider, taken, **changes):
        batch = batch_to(recipient(1), recipient(2, **changes))
        answers = provider.send_batch(batch)
        assert isinstance(answers[0], Accepted)
        assert (answers[1].code, answers[1].error_class, answers[1].about, answers[1].never_left) == (
            *("not-in-batch", ErrorClass.TRANSIENT, About.MESSAGE),
            True,
        )
        provider.send(batch.email_to(batch.recipients[1]))
        assert len(taken()) == 2

    @pytest.mark.parametrize("from_email", ["", "a@example.com, b@example.com"])
    def test_bad_sender_refuses_the_whole_batch(self, provider, taken, from_email):
        error = self.batch_refusal(provider, batch_to(recipient(1), from_email=from_email))
        assert error.error_class is ErrorClass.MISCONFIGURED
        assert taken() == []

    @pytest.mark.parametrize("act", [faults.hold, faults.dribble_body])
    def test_batch_ended_by_the_deadline_is_ambiguous(self, at, impatient, act):
        error = self.batch_refused_by(act, at)
        assert (error.error_class, error.code) == (ErrorClass.AMBIGUOUS, "deadline")

    @pytest.mark.parametrize("act", [faults.cut, faults.reset, faults.truncate_body])
    def test_batch_whose_answer_is_lost_is_ambiguous(self, at, act):
        assert self.batch_refused_by(act, at).error_class is ErrorClass.AMBIGUOUS

    def test_answer_to_a_whole_batch_has_the_meaning_of_an_answer_to_one_email(self, at):
        for meaning, act in self.says.items():
            connections.close_all()
            error = self.batch_refused_by(act, at, count=1)
            found = (error.about, error.error_class, error.bounce)
            assert found == (meaning.about, meaning.error_class, meaning.bounce), meaning.name

    def test_answer_to_a_batch_contains_no_secrets_that_it_repeats(self, at):
        assert self.batch_refused_by(faults.echo, at).error_class in {ErrorClass.AMBIGUOUS, ErrorClass.PERMANENT}

    def test_batches_and_single_emails_share_one_connection(self, provider, taken):
        provider.send_batch(batch_to(recipient(1), recipient(2)))
        provider.send(batch_to(recipient(3)).email_to(recipient(3)))
        assert len(taken()) == 3
        (line,) = deadline._here.owner.sockets
        assert line.may_have_carried

    refused_about = About.RECIPIENT

    def test_invalid_recipient_of_a_batch_does_not_affect_the_others(self, provider, taken):
        batch = batch_to(recipient(1), recipient(2, to_address="invalid.canary@example.com"))
        accepted, refused = provider.send_batch(batch)
        assert isinstance(accepted, Accepted)
        assert (refused.error_class, refused.about) == (ErrorClass.PERMANENT, self.refused_about)
        assert refused.is_reply
        self.is_tidy(refused)
        assert [entry["to"] for entry in taken()] == ["ada1.canary@example.com"]


class EachOnItsOwn(BatchContract):
    """The provider answers for each recipient. `entries(*codes)` is its answer with these errors, "" for none."""

    def entries(self, *codes: str) -> str:
        raise NotImplementedError

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_answer_for_other_recipients_is_ambiguous(self, at, count):
        error = self.batch_refused_by(faults.answer("200 OK", body=self.entries(*[""] * count)), at)
        assert error.error_class is ErrorClass.AMBIGUOUS

    def answers(self, at, *codes):
        with faults.fault_server(faults.answer("200 OK", body=self.entries(*codes))) as server:
            at(server.port)
            return self.made().send_batch(batch_to(*map(recipient, range(len(codes)))))
