"""The contract tests of every account, over real sockets."""

import gc
import pickle
import ssl
from contextlib import contextmanager

import pytest
import trustme

from devtools.stack.ports import free_port
from notifications.providers.base import deadline
from notifications.providers.base.account import NO_API, UNTRUSTED, Finding
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.scripted_api import scripted_api

SECRET = "a-secret-key"


def levels(found: list[Finding]) -> list[tuple[str, str]]:
    """Return subject and level of each finding, in order."""
    return [(finding.subject, finding.level.value) for finding in found]


@contextmanager
def no_connection_is_left_to_the_garbage_collector():
    """Check it, because a finalizer may run at any time, even during another provider call."""
    others = set(deadline._here.owner.sockets)
    gc.disable()
    try:
        yield
        assert deadline._here.owner.sockets <= others
    finally:
        gc.enable()


class AccountContract:
    """A subclass has `made`, and the fixture `at(url)` that points the settings at another server."""

    def questions(self):
        yield lambda: self.made().unsuppress("ada@example.com")

    def refusals(self):
        for question in self.questions():
            with pytest.raises(ProviderError) as refused:
                question()
            error = refused.value
            # Exceptions of libraries contain API keys and addresses.
            assert error.__cause__ is None
            assert error.__context__ is None
            assert SECRET not in repr(error)
            assert "ada" not in repr(pickle.loads(pickle.dumps(error)))  # noqa: S301 - our own
            yield error

    @pytest.mark.parametrize(
        "misbehave",
        [
            faults.hold,
            faults.cut,
            faults.truncate_head,
            faults.garbage,
            faults.dribble_head,
            faults.dribble_body,
            faults.answer("200 OK", body="<html>a proxy's page"),
            faults.answer("301 Moved", "Location: http://127.0.0.1:1/"),
            faults.answer("401 Unauthorized", body="{}"),
            faults.answer("403 Forbidden", body="{}"),
            faults.answer("418 Teapot", body="[]"),
            faults.answer("503 Unavailable"),
        ],
    )
    def test_misbehaving_server_raises_only_our_exceptions(self, at, settings, misbehave):
        settings.PROVIDER_READ_TIMEOUT_S = 0.4
        settings.PROVIDER_DEADLINE_S = 0.6
        with faults.fault_server(misbehave) as server, no_connection_is_left_to_the_garbage_collector():
            at(server.url)
            assert len(list(self.refusals())) == len(list(self.questions()))
            inspected = self.made().inspect()
        assert inspected[0].level.value == "bad"
        assert inspected[0].hint
        assert SECRET not in repr(inspected)

    def test_redirect_is_not_followed(self, at):
        with faults.fault_server(faults.cut) as elsewhere:
            redirect = faults.answer("307 Temporary", f"Location: {elsewhere.url}/")
            with faults.fault_server(redirect) as server:
                at(server.url)
                list(self.refusals())
            assert elsewhere.connections == 0

    @pytest.mark.parametrize(
        ("answer", "is_address"),
        [
            (faults.answer("401 Unauthorized", body="{}"), False),
            (faults.answer("404 Not Found", body="{}"), True),
            (faults.answer("302 Found", "Location: http://127.0.0.1:1/"), True),
        ],
    )
    def test_wrong_address_is_not_reported_as_a_wrong_key(self, at, answer, is_address):
        with faults.fault_server(answer) as server:
            at(server.url)
            (found,) = self.made().inspect()
        assert (found.subject, found.level.value) == ("credentials", "bad")
        assert (found.code == NO_API, "_URL" in found.hint) == (is_address,) * 2, found

    def test_refused_connection_is_reported(self, at):
        at(f"http://127.0.0.1:{free_port()}")
        assert {error.error_class for error in self.refusals()} == {ErrorClass.TRANSIENT}
        (found,) = self.made().inspect()
        assert (found.subject, found.level.value) == ("credentials", "bad")
        assert found.code == ErrorClass.TRANSIENT
        assert "_URL" not in found.hint

    def test_untrusted_certificate_is_misconfigured(self, at):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
        with scripted_api(tls) as api:
            at(api.url)
            assert {(error.error_class, error.code) for error in self.refusals()} == {
                (ErrorClass.MISCONFIGURED, "certificate")
            }
            (found,) = self.made().inspect()
            assert (found.code, "_URL" in found.hint) == (UNTRUSTED, True)
            assert api.asked == []
