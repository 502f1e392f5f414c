"""SendGrid with Anymail's backend, and its table of answers."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest
from anymail.exceptions import AnymailCancelSend
from anymail.signals import post_send, pre_send

from notifications.providers.base import connections, deadline
from notifications.providers.base.answers import meaning as m
from notifications.providers.base.sending import ProviderError
from notifications.providers.sendgrid.backend import SendGrid
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.batch_contract import HTML, TEXT, BatchContract, batch_to, recipient
from tests.notifications.providers.base.http_contract import GATEWAY, A, HttpContract, M, P, R, SimulatedContract, T
from tests.notifications.providers.base.outgoing import outgoing

TROUBLE = '{"errors": [{"message": "try later", "field": null}]}'


def no(status, text, field=None):
    return faults.answer(status, body=json.dumps({"errors": [{"message": text, "field": field}]}))


class TestSendGrid(SimulatedContract, HttpContract, BatchContract):
    says = {
        m.BAD_ADDRESS: no("400 Bad", "Does not contain a valid address.", "personalizations.0.to.0.email"),
        m.MESSAGE_REFUSED: no("400 Bad", "The content is bad.", "content"),
        m.REFUSES_US: no("403 Forbidden", "Your account is suspended."),
        m.THROTTLED: no("429 Too Many", "too many requests"),
        m.QUOTA_SPENT: no("401 Unauthorized", "Maximum credits exceeded"),
        m.OUTAGE: no("500 Error", "try later"),
        m.UNKNOWN: GATEWAY,
    }
    made = SendGrid
    accepted_status = "202 Accepted"

    def no(self, text):
        return ("Content-Type: application/json",), json.dumps({"errors": [{"message": text, "field": None}]})

    @pytest.fixture
    def at(self, settings):
        def point(port, *, tls=False):
            settings.SENDGRID_API_KEY = "SG.canary-key"
            settings.SENDGRID_API_URL = f"http{'s' * tls}://127.0.0.1:{port}/v3/"

        return point

    @pytest.mark.parametrize(
        ("status", "headers", "body", "expected"),
        [
            ("401 Unauthorized", (), "", (M, "http-401", None)),
            ("401 Unauthorized", (), "authorization required", (M, "http-401", None)),
            (
                "401 Unauthorized",
                (),
                "The provided authorization grant is invalid, expired, or revoked",
                (M, "http-401", None),
            ),
            ("401 Unauthorized", (), "Maximum credits exceeded", (R, "credits-exhausted", 3600)),
            (
                "403 Forbidden",
                (),
                "The from address does not match a verified Sender Identity.",
                (M, "sender-identity", None),
            ),
            ("403 Forbidden", (), "access forbidden", (M, "http-403", None)),
            ("405 Method Not Allowed", (), "", (M, "http-405", None)),
            ("429 Too Many", (), "", (R, "http-429", None)),
            ("429 Too Many", ("Retry-After: 7",), "", (R, "http-429", 7)),
            ("429 Too Many", ("Retry-After: 7", "X-RateLimit-Reset: 1800000060"), "", (R, "http-429", 7)),
            ("429 Too Many", ("Retry-After: 999999",), "", (R, "http-429", 900)),
            ("429 Too Many", ("Retry-After: tomorrow",), "", (R, "http-429", None)),
            ("429 Too Many", ("X-RateLimit-Reset: soon",), "", (R, "http-429", None)),
            (
                "429 Too Many",
                ("X-RateLimit-Reset: 1800000060", f"Date: {formatdate(1_800_000_000, usegmt=True)}"),
                "",
                (R, "http-429", 60),
            ),
            (
                "503 Unavailable",
                ("X-RateLimit-Reset: 1800000060", "Retry-After: 30"),
                TROUBLE,
                (T, "http-503", 30),
            ),
            ("503 Unavailable", ("X-RateLimit-Reset: 1800000060",), TROUBLE, (T, "http-503", None)),
            ("503 Unavailable", (), "", (A, "http-503", None)),
            ("503 Unavailable", (), '{"errors": []}', (A, "http-503", None)),
            ("400 Bad", (), '{"errors": [{"message": "Bad content", "field": "content"}]}', (P, "http-400", None)),
            (
                "400 Bad",
                (),
                '{"errors": [{"message": "not a sender", "field": "from.email"}]}',
                (M, "sender-identity", None),
            ),
            # The page of a proxy or captive portal.
            ("200 OK", (), "<html>", (A, "http-200", None)),
        ],
    )
    def test_answers_have_the_meaning_that_sendgrid_documents(self, at, status, headers, body, expected):
        error = self.refused_by(faults.answer(status, *headers, body=body), at)
        assert (error.error_class, error.code, error.retry_after_s) == expected

    @pytest.mark.parametrize("key", ["with\nnewline", "ключ"])
    def test_key_that_no_header_can_hold_is_misconfigured(self, provider, taken, settings, key):
        settings.SENDGRID_API_KEY = key
        assert self.refusal(provider, outgoing()).error_class is M
        assert taken() == []

    @pytest.mark.parametrize("url", ["nothing://127.0.0.1/v3/", "127.0.0.1/v3/", "http:///v3/"])
    def test_invalid_api_address_is_misconfigured(self, settings, url):
        settings.SENDGRID_API_KEY = "SG.canary-key"
        settings.SENDGRID_API_URL = url
        assert self.refusal(SendGrid(), outgoing()).error_class is M

    def test_status_of_an_acceptance_is_enough(self, at):
        with faults.fault_server(faults.cut_after_the_status) as server:
            at(server.port)
            assert SendGrid().send(outgoing()).provider_message_id
            assert len(server.requests) == 1
        self.nothing_is_kept()

    def test_endless_acceptance_counts_or_is_ambiguous(self, at, impatient):
        """Either the deadline or the server's reset may come first."""
        with faults.fault_server(faults.dribble_after_the_status) as server:
            at(server.port)
            answer = self.answer(SendGrid())
            assert len(server.requests) == 1
        if isinstance(answer, ProviderError):
            assert (answer.error_class, answer.code) == (A, "deadline")
        else:
            assert answer.provider_message_id
        self.nothing_is_kept()

    def answer(self, provider):
        try:
            return provider.send(outgoing())
        except ProviderError as error:
            return error

    def nothing_is_kept(self):
        assert not [each for each in deadline._here.owner.sockets if not each._is_shut]

    def test_bad_key_gives_the_next_email_a_new_connection(self, at):
        self.refused_by(faults.answer("401 Unauthorized"), at)
        assert connections._here.kept.warm == {}

    def test_failing_receiver_does_not_undo_an_acceptance(self, provider, taken, caplog):
        # A captured log record would keep the connection alive.
        caplog.set_level("CRITICAL", "django.dispatch")

        def fail(sender, **kwargs):
            raise RuntimeError

        post_send.connect(fail)
        try:
            assert provider.send(outgoing()).provider_message_id
        finally:
            post_send.disconnect(fail)
        assert len(taken()) == 1

    def test_receiver_can_cancel_the_send(self, provider, taken):
        def cancel(sender, **kwargs):
            raise AnymailCancelSend

        pre_send.connect(cancel)
        try:
            assert self.refusal(provider, outgoing()).error_class is P
        finally:
            pre_send.disconnect(cancel)
        assert taken() == []

    def test_silencing_anymails_warning_leaves_no_filter_behind(self):
        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: SendGrid().backend("a-key", "http://127.0.0.1/"), range(200)))
        assert list(warnings.filters) == before

    def test_recipient_with_long_fields_does_not_fit_in_a_batch(self, provider, taken):
        self.does_not_fit_but_is_sent_alone(provider, taken, fields={HTML: "ü" * 5_000, TEXT: "x"})

    def rejections(self, at, *script):
        """Send a batch of four to a server that rejects these places, one list for each request."""
        act = faults.answers([rejected(*places) if places else ("202 Accepted", (), "") for places in script])
        with faults.fault_server(act) as server:
            at(server.port)
            try:
                return SendGrid().send_batch(batch_to(*map(recipient, range(4)))), server
            except ProviderError as error:
                return error, server

    def test_named_recipients_are_left_out_until_the_rest_is_accepted(self, at):
        answers, server = self.rejections(at, [1, 3], [0], [])
        assert [isinstance(answer, ProviderError) for answer in answers] == [True, True, False, True]
        assert {answer.error_class for answer in answers if isinstance(answer, ProviderError)} == {P}
        assert len(server.requests) == 3
        assert server.requests[-1].count(b"mailroom_message_id") == 1

    @pytest.mark.parametrize("places", [[0, 1, 2, 3], [7]])
    def test_rejection_that_names_all_recipients_or_none_of_them_is_of_the_whole_batch(self, at, places):
        error, server = self.rejections(at, places)
        assert (error.error_class, len(server.requests)) == (P, 1)

    def test_lost_answer_after_a_rejection_leaves_only_the_others_uncertain(self, at):
        script = faults.answers([rejected(1)])

        def act(peer):
            (faults.cut if peer.server.requests else script)(peer)

        with faults.fault_server(act) as server:
            at(server.port)
            answers = SendGrid().send_batch(batch_to(*map(recipient, range(3))))
        assert [answer.error_class for answer in answers] == [A, P, A]


def rejected(*places):
    text = "Does not contain a valid address."
    errors = [{"message": text, "field": f"personalizations.{place}.to.0.email"} for place in places]
    return "400 Bad", (), json.dumps({"errors": errors})
