"""Connections that fail, and those that are used again."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from devtools.stack.ports import free_port
from notifications.providers.base import connections, deadline
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.edge import ProviderEdge, tls_for
from tests.notifications.providers.base.outgoing import outgoing


class ConnectionContract(ProviderEdge):
    def test_refused_connection_has_sent_nothing(self, provider, at):
        at(free_port())
        assert self.refusal(provider, outgoing()).error_class is ErrorClass.TRANSIENT

    def test_unknown_host_name_has_sent_nothing(self, at, monkeypatch):
        def no_such_name(*args, **kwargs):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        at(free_port())
        monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
        assert self.refusal(self.made(), outgoing()).error_class is ErrorClass.TRANSIENT

    def test_connection_that_times_out_has_sent_nothing(self, at, settings):
        settings.PROVIDER_CONNECT_TIMEOUT_S = 0.3
        with faults.full_house() as port:
            at(port)
            assert self.refusal(self.made(), outgoing()).error_class is ErrorClass.TRANSIENT

    def test_untrusted_certificate_of_the_provider_is_misconfigured(self, at, authority):
        self.certificate_is_refused(at, authority, "127.0.0.1")

    def test_certificate_for_another_name_is_misconfigured(self, at, authority, trusted):
        self.certificate_is_refused(at, authority, "mail.example.com")

    def certificate_is_refused(self, at, authority, name):
        with faults.fault_server(faults.hold, tls=tls_for(authority, name)) as server:
            at(server.port, tls=True)
            error = self.refusal(self.made(), outgoing())
            assert (error.error_class, error.code) == (ErrorClass.MISCONFIGURED, "certificate")
            assert (server.connections, server.requests) == (1, [])

    @pytest.mark.parametrize("act", [faults.hold_unread, faults.cut_unread, faults.reset_begun, faults.no_tls])
    def test_failed_handshake_has_sent_nothing(self, at, impatient, settings, act):
        if act is not faults.hold_unread:
            settings.PROVIDER_DEADLINE_S = faults.HOLD_S
        with faults.fault_server(act) as server:
            at(server.port, tls=True)
            error = self.refusal(self.made(), outgoing())
            assert error.error_class is ErrorClass.TRANSIENT
            assert (error.code == "deadline") == (act is faults.hold_unread)
            assert server.connections == 1

    def test_connection_is_kept_for_the_next_email(self, provider, taken):
        for _ in range(3):
            provider.send(outgoing())
        assert len(taken()) == 3
        assert list(connections._here.kept.warm) == [provider.name]
        (line,) = deadline._here.owner.sockets
        assert line.may_have_carried

    def test_idle_connection_is_replaced(self, provider, taken, monkeypatch):
        provider.send(outgoing())
        (first,) = deadline._here.owner.sockets
        monkeypatch.setattr(connections, "MAX_IDLE_S", -1.0)
        provider.send(outgoing())
        (second,) = deadline._here.owner.sockets
        assert first is not second
        assert len(taken()) == 2

    def test_connection_that_was_shut_down_is_not_used_again(self, provider, taken):
        provider.send(outgoing())
        (line,) = deadline._here.owner.sockets
        line.shut()
        provider.send(outgoing())
        assert len(taken()) == 2

    def test_every_thread_has_its_own_connection_and_closes_it_at_its_end(self, provider, taken):
        def send(_):
            provider.send(outgoing())
            return deadline._here.owner

        with ThreadPoolExecutor(2) as pool:
            owners = list(pool.map(send, range(4)))
        assert len(taken()) == 4
        assert [owner.sockets for owner in owners] == [set()] * 4

    def test_forked_process_leaves_its_parents_connection_alone(self, provider, taken):
        provider.send(outgoing())
        child = os.fork()
        if child == 0:
            connections.close_all()
            os._exit(len(connections._here.kept.warm))
        assert os.waitpid(child, 0)[1] == 0
        provider.send(outgoing())
        assert len(taken()) == 2
