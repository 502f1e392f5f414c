"""Postmark with Anymail's backend, and its table of answers."""

import json

import pytest

from notifications.providers.base.answers import meaning as m
from notifications.providers.base.sending import About
from notifications.providers.postmark.backend import Postmark
from notifications.rules.outcomes import BounceKind
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.batch_contract import EachOnItsOwn, batch_to, recipient
from tests.notifications.providers.base.http_contract import GATEWAY, A, HttpContract, M, P, R, SimulatedContract, T
from tests.notifications.providers.base.outgoing import outgoing


def no(number, text="no", status="422 Unprocessable"):
    return faults.answer(status, body=json.dumps({"ErrorCode": number, "Message": text}))


class TestPostmark(SimulatedContract, HttpContract, EachOnItsOwn):
    says = {
        m.INACTIVE: no(406, "You tried to send to an inactive recipient."),
        m.BAD_ADDRESS: no(300, "Invalid 'To' address: 'x'."),
        m.MESSAGE_REFUSED: no(300, "Invalid metadata content."),
        m.REFUSES_US: no(412, "Your account is pending."),
        m.THROTTLED: no(429, status="429 Too Many"),
        m.OUTAGE: no(100, "Maintenance", status="503 Unavailable"),
        m.UNKNOWN: GATEWAY,
    }
    made = Postmark
    accepted = '{"ErrorCode": 0, "Message": "OK", "MessageID": "an-id", "To": "ada.canary@example.com"}'

    def labels_of(self, entry):
        # Postmark takes one tag; the metadata has all.
        tags = entry["metadata"]["tags"].split(", ")
        assert entry["labels"] == tags[:1]
        return tags

    def no(self, text):
        return (), json.dumps({"ErrorCode": 600, "Message": text})

    def entries(self, *codes):
        return json.dumps([self.entry(code) for code in codes])

    def entry(self, code):
        if code:
            return {"ErrorCode": int(code), "Message": "ada0.canary@example.com: Canary is bad"}
        return json.loads(self.accepted)

    @pytest.fixture
    def at(self, settings):
        def point(port, *, tls=False):
            settings.POSTMARK_SERVER_TOKEN = "canary-token"
            settings.POSTMARK_API_URL = f"http{'s' * tls}://127.0.0.1:{port}/"

        return point

    @pytest.mark.parametrize(
        ("status", "headers", "body", "expected"),
        [
            ("401 Unauthorized", (), "", (M, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 10}', (M, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 100}', (T, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 405, "Message": "out of credits"}', (M, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 300, "Message": "Invalid email request"}', (P, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 406, "Message": "inactive recipient"}', (P, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 406, "Message": "Found inactive addresses: x@y.com."}', (P, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 300, "Message": "Invalid \'To\' address: \'x\'."}', (P, None)),
            ("422 Unprocessable", (), "<html>", (A, None)),
            ("422 Unprocessable", (), "[" * 100_000, (A, None)),
            ("429 Too Many", ("Retry-After: 7",), "", (R, 7)),
            ("200 OK", (), "<html>a proxy's page</html>", (A, None)),
            ("200 OK", (), "{}", (A, None)),
            ("200 OK", (), '{"ErrorCode": 0, "Message": "OK"}', (A, None)),
            ("200 OK", (), "[" * 100_000, (A, None)),
        ],
    )
    def test_answers_have_the_meaning_that_postmark_documents(self, at, status, headers, body, expected):
        error = self.refused_by(faults.answer(status, *headers, body=body), at)
        assert (error.error_class, error.retry_after_s) == expected

    @pytest.mark.parametrize(
        "echo",
        [
            {"To": "Ada, Canary <ada.canary@example.com>"},
            {"To": ""},
            {"To": None},
            {"To": ["ada.canary@example.com"]},
            {"To": "ada@bücher.example.com"},
            {"To": "x@y@z"},
            {},
        ],
    )
    @pytest.mark.parametrize("address", ["ada.canary@example.com", "ada@bücher.example.com"])
    def test_acceptance_counts_with_any_repeated_address(self, at, echo, address):
        answer = {"ErrorCode": 0, "Message": "OK", "MessageID": "an-id", **echo}
        with faults.fault_server(faults.answer("200 OK", body=json.dumps(answer))) as server:
            at(server.port)
            assert Postmark().send(outgoing(to_address=address)).provider_message_id == "an-id"

    @pytest.mark.parametrize("given", ["", None, {"None": "an-id"}, 7])
    def test_acceptance_without_an_id_is_ambiguous(self, at, given):
        answer = {"ErrorCode": 0, "Message": "OK", "MessageID": given, "To": "ada.canary@example.com"}
        assert self.refused_by(faults.answer("200 OK", body=json.dumps(answer)), at).error_class is A

    @pytest.mark.parametrize(
        ("number", "text", "bounce"),
        [
            (406, "You tried to send to an inactive recipient", BounceKind.HARD),
            (300, "Invalid 'To' address: 'x'.", BounceKind.HARD),
            (300, "Error parsing 'To': Illegal email domain", BounceKind.HARD),
            (300, "Invalid metadata content.", None),
            (411, "Forbidden attachment", None),
        ],
    )
    def test_rejection_of_a_recipient_is_about_the_recipient(self, at, number, text, bounce):
        body = json.dumps({"ErrorCode": number, "Message": text})
        error = self.refused_by(faults.answer("422 Unprocessable", body=body), at)
        assert (error.error_class, error.bounce) == (P, bounce)
        assert error.about is (About.RECIPIENT if bounce else About.MESSAGE)

    @pytest.mark.parametrize("text", ["Invalid 'From' address: 'x'.", "Error parsing 'From': no"])
    def test_rejection_of_the_sender_is_misconfigured(self, at, text):
        body = json.dumps({"ErrorCode": 300, "Message": text})
        assert self.refused_by(faults.answer("422 Unprocessable", body=body), at).error_class is M

    def test_each_answer_of_a_batch_has_its_meaning(self, at):
        answers = self.answers(at, "406", "", "300", "100", "412", "601")
        assert answers[1].provider_message_id == "an-id"
        refused = [one for one in answers if one is not answers[1]]
        assert [(one.code, one.error_class) for one in refused] == [
            *(("postmark-406", P), ("postmark-300", P), ("postmark-100", T), ("postmark-412", M), ("postmark-601", P)),
        ]
        for one in refused:
            self.is_tidy(one)

    @pytest.mark.parametrize("entry", [{}, {"ErrorCode": 0}, {"ErrorCode": 0, "MessageID": ""}, None, "OK"])
    def test_unreadable_answer_of_a_batch_is_ambiguous_for_one(self, at, entry):
        body = json.dumps([json.loads(self.accepted), entry])
        with faults.fault_server(faults.answer("200 OK", body=body)) as server:
            at(server.port)
            accepted, unread = Postmark().send_batch(batch_to(recipient(1), recipient(2)))
        assert (accepted.provider_message_id, unread.error_class) == ("an-id", A)

    @pytest.mark.parametrize("body", ["<html>", "{}", "[" * 100_000, '{"ErrorCode": 0, "MessageID": "x"}'])
    def test_answer_to_a_batch_that_is_no_list_is_ambiguous(self, at, body):
        assert self.batch_refused_by(faults.answer("200 OK", body=body), at).error_class is A

    def test_batch_that_is_too_large_is_not_sent(self, provider, taken):
        error = self.batch_refusal(provider, batch_to(*map(recipient, range(11)), text="x" * 1_000_000))
        assert (error.code, error.about, error.never_left) == ("TooLargeError", About.MESSAGE, True)
        assert taken() == []
