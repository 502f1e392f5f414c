"""The contract tests of every provider, by inheritance, with real libraries and sockets."""

from collections.abc import Mapping
from typing import ClassVar

from notifications.providers.base import connections
from notifications.providers.base.answers.meaning import Meaning
from notifications.providers.base.sending import About
from notifications.rules.addresses import NamedAddress
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.arriving_contract import ArrivingContract
from tests.notifications.providers.base.connection_contract import ConnectionContract
from tests.notifications.providers.base.outgoing import outgoing
from tests.notifications.providers.base.refusing_contract import RefusingContract


class ProviderContract(ArrivingContract, RefusingContract, ConnectionContract):
    """A subclass has the fixtures `provider` and `taken`: what its server has accepted, oldest first.

    `at(port, tls=False)` points the settings at another server, and `made()` returns the provider.
    """

    # By meaning, what the provider's server does instead of accepting.
    says: ClassVar[Mapping[Meaning, faults.Act]] = {}
    # True if the server names the recipient whom it refuses.
    names_refused = False

    def test_answer_to_several_recipients_is_about_none_of_them(self, at):
        for meaning, act in self.says.items():
            if meaning.about is not About.RECIPIENT or self.names_refused:
                continue
            connections.close_all()
            with faults.fault_server(act) as server:
                at(server.port)
                error = self.refusal(self.made(), outgoing(cc=(NamedAddress("carla@example.com"),)))
            assert (error.about, error.bounce) == (About.MESSAGE, None), meaning.name

    def test_common_answers_have_one_meaning_for_all_providers(self, at):
        for meaning, act in self.says.items():
            connections.close_all()
            with faults.fault_server(act) as server:
                at(server.port)
                error = self.refusal(self.made(), outgoing())
            found = (error.about, error.error_class, error.bounce)
            assert found == (meaning.about, meaning.error_class, meaning.bounce), meaning.name
