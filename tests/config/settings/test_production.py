"""A process that serves users refuses to start with settings unfit for production."""

import pytest
from django.core.checks import run_checks

from notifications.runtime.roles import Role
from tests.config.settings.process import PRODUCTION, run

LOCAL_ENV = """
SECRET_KEY='a-developers-key'
MAILROOM_LOCAL='1'
SNS_CERTIFICATE_FILE='/certificate.pem'
EMAIL_PROVIDERS='simulator'
SIMULATOR_URL='http://127.0.0.1:1'
"""
KEY = PRODUCTION["SECRET_KEY"]

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")


@pytest.fixture
def production(settings):
    """A production server's settings, for tests to change."""
    settings.MAILROOM_LOCAL, settings.DEBUG, settings.EMAIL_PROVIDERS = False, False, ["smtp"]
    settings.SECRET_KEY, settings.SITE_URL, settings.HTTPS = KEY, "https://mail.example.com", True
    settings.ALLOWED_HOSTS = ["mail.example.com"]
    settings.SMTP_URL, settings.EMAIL_BACKEND = (
        "smtp+tls://u:p@smtp.example.com:587",
        "notifications.backend.OutboxBackend",
    )
    return settings


def found(settings, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    return run_checks(tags=["mailroom"])


def postgres(host, **options):
    return {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": host, "OPTIONS": options}}


@pytest.mark.parametrize(
    ("id_", "changes"),
    [
        ("mailroom.E034", {"SECRET_KEY": "prod"}),
        ("mailroom.E034", {"SECRET_KEY": ""}),
        ("mailroom.E034", {"SECRET_KEY": "x" * 60}),
        ("mailroom.E034", {"SECRET_KEY": "django-insecure-" + KEY}),
        ("mailroom.E034", {"SECRET_KEY_FALLBACKS": ["prod"]}),
        ("mailroom.E034", {"SECRET_KEY_FALLBACKS": [KEY, "old"]}),
        ("mailroom.E035", {"DEBUG": True, "REDIRECT_TO": "staging@example.com"}),
        ("mailroom.E036", {"MAILROOM_LOCAL": True}),
        ("mailroom.E038", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
        ("mailroom.E038", {"EMAIL_BACKEND": "no.such.Backend"}),
        ("mailroom.E039", {"SECURE_HSTS_PRELOAD": True}),
        ("mailroom.E040", {"REDIS_CA_FILE": "/no/such/file"}),
        ("mailroom.E040", {"SMTP_CA_FILE": __file__}),
        ("mailroom.E077", {"DATABASES": postgres("db", sslrootcert="/no/such/file", sslmode="verify-full")}),
        ("mailroom.E041", {"SENDGRID_API_URL": "api.sendgrid.com"}),
        ("mailroom.E041", {"POSTMARK_API_URL": "https://api.postmarkapp.com:99999/"}),
        ("mailroom.E042", {"SES_ENDPOINT_URL": "http://email.example.com"}),
        ("mailroom.E031", {"REDIS_URL": "unix:///run/redis.sock"}),
        ("mailroom.E033", {"SMTP_URL": "smtp://u:p/w@h"}),
        ("mailroom.E045", {"SENDGRID_API_KEY": "key with a space"}),
        ("mailroom.E045", {"SENDGRID_API_KEY": "key\nline"}),
        ("mailroom.E045", {"POSTMARK_SERVER_TOKEN": "kéy"}),
        ("mailroom.E046", {"ALLOWED_HOSTS": ["https://mail.example.com"]}),
        ("mailroom.E046", {"ALLOWED_HOSTS": ["mail.example.com:443"]}),
        ("mailroom.E046", {"ALLOWED_HOSTS": ["mail.example.com other.example.com"]}),
        ("mailroom.E046", {"ALLOWED_HOSTS": []}),
        ("mailroom.E047", {"SITE_NAME": "Shop\nBcc: x"}),
        ("mailroom.E047", {"SITE_NAME": " "}),
        ("mailroom.E008", {"SITE_URL": "https://mail.example.com#"}),
        ("mailroom.E008", {"SITE_URL": "https://mail.example.com?"}),
        ("mailroom.E008", {"SITE_URL": "https://@mail.example.com"}),
        ("mailroom.E008", {"SITE_URL": f"https://{'x' * 64}.example.com"}),
        ("mailroom.E041", {"SENDGRID_API_URL": "https://api.sendgrid.com/v3/#"}),
        ("mailroom.E041", {"POSTMARK_API_URL": "https://api.postmarkapp.com/?x=1"}),
        ("mailroom.E051", {"SITE_URL": "https://www.example.com"}),
        ("mailroom.E051", {"SITE_URL": "https://[::1]"}),
        ("mailroom.E053", {"CSRF_TRUSTED_ORIGINS": ["mail.example.com"]}),
        ("mailroom.E053", {"CSRF_TRUSTED_ORIGINS": ["https://mail.example.com/"]}),
        ("mailroom.W011", {"LIMITS_REDIS_URL": "redis://h/0", "REDIS_URL": "redis://h/0"}),
        ("mailroom.E048", {"SES_REGION": "Frankfurt"}),
        ("mailroom.E048", {"SES_CONFIGURATION_SET": "two words"}),
        ("mailroom.E038", {"EMAIL_BACKEND": "os.path"}),
        ("mailroom.E038", {"EMAIL_BACKEND": "django.core.mail.EmailMessage"}),
        ("mailroom.E049", {"SES_WEBHOOK_TOPICS": ["mailroom"]}),
        ("mailroom.W003", {"SNS_CERTIFICATE_FILE": "/x"}),
        ("mailroom.W004", {"REDIS_URL": "redis://:p@redis.example.com"}),
        ("mailroom.W005", {"DATABASES": postgres("db.example.com")}),
        ("mailroom.W005", {"DATABASES": postgres("db", sslmode="require")}),
        ("mailroom.W006", {"SMTP_URL": "smtp://u:p@smtp"}),
    ],
)
def test_setting_unfit_for_production_is_reported(production, id_, changes):
    messages = found(production, changes)
    # A backend that does not queue is reported twice.
    others = {"mailroom.W017"} if "EMAIL_BACKEND" in changes else set()
    assert {message.id for message in messages} == {id_} | others
    assert all(message.hint for message in messages)
    assert not any(KEY in message.msg + message.hint for message in messages)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"REDIS_URL": "rediss://:p@redis.example.com"},
        {"REDIS_URL": "redis://:p@redis"},
        {"DATABASES": postgres("db.example.com", sslmode="verify-full")},
        {"DATABASES": postgres("postgres")},
        {"DATABASES": postgres("10.1.2.3")},
        {"DATABASES": postgres("/run/postgresql")},
        {"SECRET_KEY_FALLBACKS": [KEY, KEY.replace("a", ",")]},
        {"SECURE_HSTS_PRELOAD": True, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "SECURE_HSTS_SECONDS": 31_536_000},
        {"MAILROOM_LOCAL": True, "SITE_URL": "https://127.0.0.1:8443"},
        {"ALLOWED_HOSTS": ["mail.example.com", ".example.com", "127.0.0.1", "[::1]", "*"]},
        {"SITE_URL": "HTTPS://Mail.Example.com:8443/"},
        {"SITE_URL": "https://www.example.com", "ALLOWED_HOSTS": [".example.com"]},
        {"SITE_URL": "https://[::1]", "ALLOWED_HOSTS": ["[::1]"]},
        {"SITE_URL": "https://bücher.example", "ALLOWED_HOSTS": ["xn--bcher-kva.example"]},
        {"CSRF_TRUSTED_ORIGINS": ["https://*.example.com", "https://shop.example.com:8443"]},
        {"SES_REGION": "us-gov-west-1", "SES_WEBHOOK_TOPICS": ["arn:aws-us-gov:sns:us-gov-west-1:123456789012:a-b"]},
        {"SENDGRID_API_KEY": "SG.a-b_c.$#,'", "SITE_NAME": "Müller & Söhne"},
    ],
)
def test_valid_setting_is_not_reported(production, changes):
    assert found(production, changes) == []


def test_production_server_passes_the_checks_of_django():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("role", [Role.WEB, Role.WORKER, Role.RELAY, Role.BEAT])
def test_process_unfit_for_production_does_not_start(role):
    script = f"import django; django.setup()\nfrom notifications.runtime import startup\nstartup.require('{role}')"
    changes = {"SECRET_KEY": "prod", "DEBUG": "1", "MAILROOM_ROLE": role, "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = run("-c", script, **changes)
    assert done.returncode == 1
    assert "mailroom.E034" in done.stderr
    assert "mailroom.E035" in done.stderr


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("proxy", "ids"),
    [
        ("http://proxy.example.com:3128", set()),
        ("http://user:p%40ss@proxy:3128", set()),
        ("proxy:3128", set()),
        ("", set()),
        ("http://proxy:canary", {"mailroom.E054"}),
        ("http://:3128", {"mailroom.E054"}),
        ("socks5://proxy:1080", {"mailroom.E054"}),
        ("http://pro xy", {"mailroom.E054"}),
    ],
)
def test_proxy_is_parsed_as_libraries_do(production, monkeypatch, name, proxy, ids):
    monkeypatch.setenv(name, proxy)
    assert {message.id for message in found(production, {})} == ids


def test_web_process_without_its_static_files_does_not_start(tmp_path, production):
    production.MAILROOM_ROLE = Role.WEB
    production.STATIC_ROOT = str(tmp_path)
    assert {message.id for message in found(production, {})} == {"mailroom.E052"}
    (tmp_path / "staticfiles.json").touch()
    assert found(production, {}) == []


STARTS = {
    "web": ("-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn_conf.py", "-b", "127.0.0.1:0"),
    "wsgi": ("-c", "import config.wsgi"),
    "worker": ("-m", "config.celery_command", "worker", "-P", "threads", "-c", "1"),
    "beat": ("-m", "config.celery_command", "beat", "-s", "{folder}/schedule"),
    "flower": ("-m", "celery", "-A", "config", "flower", "--address=127.0.0.1", "--port=0"),
    "relay": ("manage.py", "relay"),
    "manage": ("manage.py", "check"),
    "run": ("-m", "config.run", "relay"),
}
UNUSABLE = {
    "WEB_HOST": "http://canary",
    "WEB_PORT": "65536",
    "WEB_WORKERS": "canary",
    "WEB_THREADS": "-1",
    "FLOWER_PORT": "0",
    "DATABASE_POOL_SIZE": "1e3",
}


@pytest.mark.parametrize("start", STARTS)
def test_process_that_does_not_start_gives_one_reason(start, tmp_path):
    role = {"wsgi": "web", "run": "manage"}.get(start, start)
    given = UNUSABLE | {"MAILROOM_ROLE": role, "FLOWER_BASIC_AUTH": "a:b", "MAILROOM_RUN_FOLDER": str(tmp_path)}
    done = run(*(part.format(folder=tmp_path) for part in STARTS[start]), **given)
    assert done.returncode not in {0, None}
    assert "Traceback" not in done.stderr
    for name in UNUSABLE:
        assert done.stderr.count(f"{name} is n") == 1, name
    assert "canary" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("start", "file"),
    [("wsgi", "missing"), ("wsgi", "."), ("wsgi", "lines"), ("manage", "missing"), ("run", "missing")],
)
def test_process_does_not_start_with_an_env_file_that_cannot_be_read(start, file, tmp_path):
    (tmp_path / "lines").write_text("LOG_LEVEL = canary\n")
    given = {"MAILROOM_ENV_FILE": str(tmp_path / file), "MAILROOM_RUN_FOLDER": str(tmp_path / "run")}
    done = run(*STARTS[start], **given)
    assert done.returncode == 1
    assert "mailroom.E050" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.parametrize("name", ["CONFIRMATION_TIMEOUT_S", "UNCONFIRMED_DAYS", "PROVIDER_READ_TIMEOUT_S"])
def test_out_of_range_time_is_refused(name):
    done = run("manage.py", "check", **{name: "999999999999"})
    assert done.returncode == 1
    assert "mailroom.E030" in done.stderr
    assert "Traceback" not in done.stderr


def test_variable_of_an_earlier_release_is_refused():
    done = run("manage.py", "check", FORGET_AFTER_DAYS="365")
    assert done.returncode == 1
    assert "mailroom.E030" in done.stderr
    assert "ANONYMIZE_AFTER_DAYS" in done.stderr


@pytest.fixture
def checkout(tmp_path):
    """A folder with the local env file of `make up`, and the code elsewhere."""
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "env").write_text(LOCAL_ENV)
    return tmp_path


SHOWN = """
import config.environment as e
from pathlib import Path
import os
from config.env_file import read_env_file
from config.reading import Environment
env = Environment(os.environ, read_env_file(e.env_file(os.environ, Path({folder!r}))))
print(env.bool("MAILROOM_LOCAL", default=False), env.str("SNS_CERTIFICATE_FILE", default="") or "none")
"""


@pytest.mark.parametrize(
    ("without", "changes", "shown"),
    [
        ((), {"MAILROOM_ROLE": "web"}, "False none"),
        ((), {}, "False none"),
        (tuple(PRODUCTION.keys() - {"PATH"}), {"MAILROOM_ROLE": "web"}, "False none"),
        (tuple(PRODUCTION.keys() - {"PATH"}), {"MAILROOM_ROLE": "worker"}, "False none"),
        (tuple(PRODUCTION.keys() - {"PATH"}), {}, "True /certificate.pem"),
    ],
)
def test_production_process_ignores_the_local_env_file(checkout, without, changes, shown):
    given = {"MAILROOM_ENV_FILE": ""} | changes
    done = run("-c", SHOWN.format(folder=str(checkout)), without=without, **given)
    assert done.stdout.strip() == shown
