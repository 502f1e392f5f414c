"""A broker with an untrusted certificate, or with that of another host, receives no login and no task."""

import json
import os
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
import trustme

from devtools.stack.ports import HOST
from tests.config.settings.process import run

TRY = """
import asyncio, json, django; django.setup()
from config.celery import app
from config.limits_redis import limits_client
from notifications.runtime.redis_client import client
from flower.utils.broker import Broker

def publish():
    app.send_task("mailroom.nothing", args=[], queue="tls", retry=False)
def consume():
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
        connection.default_channel.client.ping()
def inspect():
    uri = app.connection().as_uri(include_password=True)
    options = {"broker_options": {}, "broker_use_ssl": app.conf.broker_use_ssl}
    asyncio.run(Broker(uri, **options).queues(["tls"]))

def outcome(act):
    try:
        act()
    except Exception as error:
        chain = [error]
        while chain[-1].__cause__ or chain[-1].__context__:
            chain.append(chain[-1].__cause__ or chain[-1].__context__)
        return " ".join(str(one) for one in chain)
    return "worked"

acts = {"publish": publish, "consume": consume, "flower": inspect, "budget": client().ping}
acts["limits"] = limits_client().ping
print(json.dumps({name: outcome(act) for name, act in acts.items()}))
"""


def pump(source, target):
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tls_in_front_of(port, certificate):
    """Run a TLS proxy for `port`; yield its port and the connections that it accepted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    let_in = []

    def serve(peer):
        try:
            inner = context.wrap_socket(peer, server_side=True)
        except OSError:
            peer.close()
            return
        outer = socket.create_connection((HOST, port))
        let_in.append((inner, outer))
        threading.Thread(target=pump, args=(inner, outer), daemon=True).start()
        pump(outer, inner)

    def accept():
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], let_in
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for pair in let_in:
            for one in pair:
                one.close()


def tried(port, **environment):
    valkey = urlsplit(os.environ["REDIS_URL"])
    url = f"rediss://:{valkey.password}@{HOST}:{port}/0"
    done = run("-c", TRY, REDIS_URL=url, DJANGO_SETTINGS_MODULE="config.settings", MAILROOM_ROLE="relay", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(file)
    return made, str(file)


@pytest.fixture
def valkey_port():
    return urlsplit(os.environ["REDIS_URL"]).port


def test_broker_with_an_untrusted_certificate_receives_nothing(authority, valkey_port):
    with tls_in_front_of(valkey_port, authority[0].issue_cert(HOST)) as (port, let_in):
        outcomes = tried(port)
    assert all("CERTIFICATE_VERIFY_FAILED" in said for said in outcomes.values()), outcomes
    assert let_in == []


def test_broker_with_the_certificate_of_another_host_receives_nothing(authority, valkey_port):
    with tls_in_front_of(valkey_port, authority[0].issue_cert("other.example")) as (port, _):
        outcomes = tried(port, REDIS_CA_FILE=authority[1])
    assert "worked" not in outcomes.values(), outcomes


def test_broker_with_a_trusted_certificate_is_used_by_every_library(authority, valkey_port):
    with tls_in_front_of(valkey_port, authority[0].issue_cert(HOST)) as (port, _):
        outcomes = tried(port, REDIS_CA_FILE=authority[1])
    assert set(outcomes.values()) == {"worked"}, outcomes
