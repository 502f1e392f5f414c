"""All libraries read a server's URL in the same way, or the URL is refused without showing it."""

import ssl

import pytest
import redis
from kombu import Connection
from psycopg.conninfo import conninfo_to_dict

from config.database_url import database_settings
from notifications.rules.servers import BadUrlError, RedisServer, SmtpServer

CANARY = "canary"
AWKWARD = ["$", ",", "\\", "#", "'", '"', "/", "?", "[", "]", "@", "%", ":", "%41", " ", "&", "+", ";", "ü", "{", "`"]
PASSWORDS = [text for one in AWKWARD for text in (one + CANARY, CANARY + one + "x")]


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_redis_password_reaches_every_library(password):
    server = RedisServer(host="redis.example", db=7, user="mailroom", password=password)
    broker = Connection(server.url)
    assert (broker.userid, broker.password, broker.hostname) == ("mailroom", password, "redis.example")
    assert broker.virtual_host == "7"
    ours = redis.Redis(**server.client_options("")).connection_pool.connection_kwargs
    assert (ours["username"], ours["password"], ours["host"], ours["db"]) == ("mailroom", password, "redis.example", 7)
    assert RedisServer.from_url(server.url) == server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("redis://h", RedisServer(host="h")),
        ("redis://h/", RedisServer(host="h")),
        ("REDIS://h:1/3", RedisServer(host="h", port=1, db=3)),
        ("rediss://:p@h.example:6380/1", RedisServer(host="h.example", port=6380, db=1, password="p", tls=True)),
        ("redis://u:p%2Fw@[::1]:6379/0", RedisServer(host="::1", user="u", password="p/w")),
        ("redis://:$a'b\"c,d;e@h", RedisServer(host="h", password="$a'b\"c,d;e")),
        ("redis://:a@b@h", RedisServer(host="h", password="a@b")),
    ],
)
def test_redis_url(url, server):
    assert RedisServer.from_url(url) == server
    assert RedisServer.from_url(server.url) == server
    assert Connection(server.url).hostname == server.host


def test_separate_password_completes_the_url():
    assert RedisServer.from_url("redis://u@h", password="a/b").password == "a/b"
    assert RedisServer.from_url("redis://u:mine@h", password="a/b").password == "mine"
    assert SmtpServer.from_url("smtp://u@h", password="a/b").password == "a/b"


@pytest.mark.parametrize(
    "url",
    [
        "",
        CANARY,
        f"//{CANARY}",
        f"unix:///run/{CANARY}.sock",
        f"unix://:{CANARY}@/run/redis.sock?db=0",
        f"redis+socket:///run/{CANARY}.sock",
        f"socket:///run/{CANARY}.sock",
        f"redis+unix:///run/{CANARY}.sock",
        f"redis://%2Frun%2F{CANARY}.sock",
        f"redis:///run/{CANARY}.sock",
        f"redis:///{CANARY}",
        "redis:///0",
        f"redis://:{CANARY}@:6379/0",
        f"amqp://{CANARY}@h",
        f"sentinel://{CANARY}:26379/0",
        f"redis://:{CANARY}@h/0?db=7",
        f"redis://:{CANARY}@h?db=7",
        f"rediss://:{CANARY}@h/0?ssl_cert_reqs=CERT_REQUIRED",
        f"rediss://:{CANARY}@h/0?ssl_cert_reqs=none",
        f"redis://:{CANARY}@h/0#1",
        f"redis://:{CANARY}@h/one",
        f"redis://:{CANARY}@h/0/1",
        f"redis://:{CANARY}@h:99999/0",
        f"redis://:{CANARY}@h:0/0",
        f"redis://:{CANARY}@h:port/0",
        f"redis://{CANARY}@h/0",
        f"redis://:{CANARY}@h /0",
        f"redis://:{CANARY}\n@h/0",
        f"redis://:{CANARY}@h;redis://other/0",
        f"redis://:{CANARY}@h,other/0",
        f"redis://:{CANARY}@[::1/0",
        *(f"redis://:{CANARY}{raw}x@h:6379/0" for raw in "/?#[]%\\"),
        *(f"redis://:{raw}{CANARY}@h:6379/0" for raw in "/?#[]%\\"),
    ],
)
def test_ambiguous_redis_url_is_refused(url):
    with pytest.raises(BadUrlError) as refused:
        RedisServer.from_url(url)
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://h", SmtpServer(host="h", port=25)),
        ("smtp+tls://h", SmtpServer(host="h", port=587, security="smtp+tls")),
        ("smtp+ssl://h", SmtpServer(host="h", port=465, security="smtp+ssl")),
        ("smtps://h", SmtpServer(host="h", port=465, security="smtp+ssl")),
        ("smtp+tls://u:p%40@h:2525/", SmtpServer(host="h", port=2525, security="smtp+tls", user="u", password="p@")),
        (
            "smtp+tls://a@b.example:p@h",
            SmtpServer(host="h", port=587, security="smtp+tls", user="a@b.example", password="p"),
        ),
    ],
)
def test_smtp_url(url, server):
    assert SmtpServer.from_url(url) == server
    assert SmtpServer.from_url(server.url) == server


@pytest.mark.parametrize("password", [password for password in PASSWORDS if password.isascii()])
def test_any_smtp_password_survives_its_url(password):
    server = SmtpServer(host="h", port=587, security="smtp+tls", user="u", password=password)
    assert SmtpServer.from_url(server.url) == server


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        f"http://{CANARY}@h",
        f"consolemail://{CANARY}",
        f"smtp+starttls://u:{CANARY}@h",
        f"smtp://u:{CANARY}@",
        f"smtp://u:{CANARY}@h:99999",
        f"smtp://u:{CANARY}@h:no",
        f"smtp://u:{CANARY}@h/path",
        f"smtp://u:{CANARY}@h?ssl=1",
        f"smtp://{CANARY}@h",
        f"smtp://:{CANARY}@h",
        f"smtp://u:{CANARY}ü@h",
        f"smtp+ssl://u:{CANARY}@h:587",
        f"smtp+tls://u:{CANARY}@h:465",
        f"smtp://u:{CANARY}@h:465",
        *(f"smtp+tls://u:{CANARY}{raw}x@h" for raw in "/?#[]%\\ "),
    ],
)
def test_invalid_smtp_url_is_refused(url):
    with pytest.raises(BadUrlError) as refused:
        SmtpServer.from_url(url)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p%2F@h:5433/d", {"USER": "u", "PASSWORD": "p/", "HOST": "h", "PORT": "5433", "NAME": "d"}),
        ("postgresql://h/d?sslmode=verify-full", {"HOST": "h", "OPTIONS": {"sslmode": "verify-full"}}),
        ("postgres://u@h1,h2:5433/d", {"HOST": "h1,h2", "PORT": ",5433"}),
        ("postgres://u@%2Frun%2Fpostgresql/d", {"HOST": "/run/postgresql"}),
        ("postgres:///d?host=/run/postgresql", {"HOST": "/run/postgresql", "NAME": "d"}),
        ("postgres://u:$a,b'c@[::1]/d", {"HOST": "::1", "PASSWORD": "$a,b'c"}),
    ],
)
def test_database_url(url, expected):
    assert expected.items() <= database_settings(url).items()


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        f"mysql://u:{CANARY}@h/d",
        f"sqlite:///{CANARY}",
        f"postgres://u:{CANARY}@h",
        f"postgres://u:{CANARY}@h:99999/d",
        f"postgres://u:{CANARY}@h:port/d",
        f"postgres://u:{CANARY}@h/d?sslmode=always",
        f"postgres://u:{CANARY}@h/d?pool={CANARY}",
        f"postgres://u:{CANARY}@h/d?connect_timeout=soon",
        f"postgres://u:{CANARY}@h$/d",
        *(f"postgres://u:{CANARY}{raw}x@h/d" for raw in "/?#[]%\\ "),
    ],
)
def test_invalid_database_url_is_refused(url):
    with pytest.raises(BadUrlError) as refused:
        database_settings(url)
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None


def test_libpq_reads_the_same_url():
    url = "postgres://u:p%2F%23@h:5433/d?application_name=mailroom"
    read = database_settings(url)
    assert conninfo_to_dict(url)["password"] == read["PASSWORD"] == "p/#"
    assert read["OPTIONS"] == {"application_name": "mailroom"}


def test_tls_verifies_certificate_and_name_in_every_library():
    server = RedisServer.from_url("rediss://h")
    ours = redis.Redis(**server.client_options("/ca.pem")).connection_pool
    assert ours.connection_class is redis.SSLConnection
    assert ours.connection_kwargs["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    assert ours.connection_kwargs["ssl_check_hostname"] is True
    assert ours.connection_kwargs["ssl_ca_certs"] == "/ca.pem"
