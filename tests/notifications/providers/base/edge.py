"""What the tests of every provider share."""

import pickle
import ssl

import pytest

from notifications.providers.base import connections, deadline
from notifications.providers.base.backend import Provider
from notifications.providers.base.sending import OutgoingEmail, ProviderError
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.outgoing import CANARY


class ProviderEdge:
    """Shared by the tests of a provider: no connection remains open, and an error contains no foreign data."""

    # Enough for a busy machine to reach the fault.
    deadline_s = 1.0

    @pytest.fixture(autouse=True)
    def _cold(self):
        connections.close_all()
        others = set(deadline._here.owner.sockets)
        yield
        connections.close_all()
        # Every watched connection of this test has been released.
        assert deadline._here.owner.sockets <= others

    @pytest.fixture
    def impatient(self, settings):
        """Raise all limits but the deadline."""
        settings.PROVIDER_DEADLINE_S = self.deadline_s
        settings.PROVIDER_READ_TIMEOUT_S = faults.HOLD_S
        settings.PROVIDER_CONNECT_TIMEOUT_S = faults.HOLD_S

    @pytest.fixture
    def trusted(self, authority, monkeypatch, tmp_path):
        bundle = tmp_path / "trusted.pem"
        authority.cert_pem.write_to_path(bundle)
        for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(bundle))

    def refusal(self, provider: Provider, mail: OutgoingEmail) -> ProviderError:
        with pytest.raises(ProviderError) as refused:
            provider.send(mail)
        error = refused.value
        # Exceptions of libraries contain API keys and bodies.
        assert error.__cause__ is None
        assert error.__context__ is None
        same = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert vars(same) == vars(error)
        assert CANARY not in f"{error!r} {error} {vars(error)}".lower()
        return error


def tls_for(authority, name="127.0.0.1"):
    """A server's TLS, with a certificate of `authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
