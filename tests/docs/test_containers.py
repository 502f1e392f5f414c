"""docker-compose.yml and the Dockerfile, as far as tests without a container engine go."""

import re
import subprocess
import sys

import pytest
from django.conf import settings
from ruamel.yaml import YAML

from config import health
from config.environment import BASE_DIR
from config.processes import PROCESSES
from notifications.conf import declared
from notifications.conf.declarations import UserSettings
from notifications.providers.registry import PROVIDERS, webhook_of
from tests.docs.compose import DOCKERFILE, SERVICES

OURS = {process.name: process for process in PROCESSES}


def test_compose_file_follows_the_specification():
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_process_is_a_service():
    assert set(SERVICES) == set(OURS) | {"preflight", "postgres", "redis", "migrate", "manage", "mailpit"}
    for name in OURS:
        assert SERVICES[name]["command"] == [name]


@pytest.mark.parametrize("name", OURS)
def test_service_has_time_to_stop_and_a_read_only_image(name):
    service = SERVICES[name]
    assert int(service["stop_grace_period"].removesuffix("s")) > OURS[name].stop_s
    assert service["read_only"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_service_has_no_privileges_and_bounded_memory_and_logs(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])


@pytest.mark.parametrize("name", SERVICES)
def test_service_starts_on_a_machine_with_one_processor(name):
    assert float(SERVICES[name]["deploy"]["resources"]["limits"].get("cpus", 1)) <= 1


@pytest.mark.parametrize("name", SERVICES)
def test_memory_file_systems_are_bounded_and_name_no_owner(name):
    for mount in SERVICES[name].get("tmpfs", []):
        options = mount.partition(":")[2].split(",")
        assert "mode=1777" in options
        assert any(option.startswith("size=") for option in options)
        assert not any(option.startswith("uid=") for option in options)


def test_secrets_in_files_reach_the_services_that_use_them():
    overlay = YAML(typ="safe").load(BASE_DIR / "docker-compose.secrets.yml")
    assert set(overlay["services"]) <= set(SERVICES)
    for name, service in overlay["services"].items():
        for secret in service.get("secrets", []):
            assert name in HOLDERS[secret]
            assert service["environment"][f"{secret}_FILE"] == f"/run/secrets/{secret}"
    for secret in overlay["secrets"]:
        # Flower's SECRET_KEY is not a secret.
        holders = {name for name, service in overlay["services"].items() if secret in service.get("secrets", [])}
        assert holders == HOLDERS[secret] - ({"flower"} if secret == "SECRET_KEY" else set())


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_servers_never_run_as_root(name):
    assert SERVICES[name]["user"] == name


@pytest.mark.parametrize("name", OURS)
def test_probe_checks_the_process_of_its_service(name):
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "-I", "-S", "config/health.py", name]


def test_probe_supports_every_process():
    assert {process.name for process in PROCESSES} == {*health.PAGES, *health.HEARTBEATS}
    assert {process.name for process in PROCESSES if process.heartbeat} == set(health.HEARTBEATS)


def test_probe_imports_neither_django_nor_celery():
    program = (
        "import runpy, sys; sys.argv[1:] = ['unknown']\ntry: runpy.run_path('config/health.py', run_name='__main__')"
    )
    program += "\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=BASE_DIR, capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert "socket" in modules
    assert not modules & {"config", "django", "celery", "http", "email", "ssl", "asyncio"}


SENDERS = {"worker-critical", "worker-main", "worker-bulk", "relay", "beat", "migrate", "manage"}


# The containers that may have a secret. The preflight knows only whether one is set.
HOLDERS = {
    "SECRET_KEY": set(OURS) | {"migrate", "manage"},
    "SECRET_KEY_FALLBACKS": set(OURS) - {"flower"} | {"migrate", "manage"},
    "POSTGRES_PASSWORD": set(OURS) - {"flower"} | {"postgres", "migrate", "manage"},
    "REDIS_PASSWORD": set(OURS) | {"redis", "migrate", "manage"},
    "FLOWER_BASIC_AUTH": {"flower"},
    "SENDGRID_API_KEY": SENDERS,
    "POSTMARK_SERVER_TOKEN": SENDERS,
    "SMTP_URL": SENDERS,
    "SMTP_PASSWORD": SENDERS,
    "AWS_SECRET_ACCESS_KEY": SENDERS,
    "SENDGRID_WEBHOOK_KEY": {"web", "migrate", "manage"},
    "POSTMARK_WEBHOOK_AUTH": {"web", "migrate", "manage"},
    "ALERT_WEBHOOK_URL": {"beat", "migrate", "manage"},
    "ALERT_PING_URL": {"beat", "migrate", "manage"},
    "METRICS_TOKEN": {"web", "migrate", "manage"},
}


@pytest.mark.parametrize("secret", HOLDERS)
def test_only_containers_that_use_a_secret_have_it(secret):
    holders = {name for name, service in SERVICES.items() if secret in service.get("environment", {})}
    assert holders - {"preflight"} == HOLDERS[secret]
    assert not any("env_file" in service for service in SERVICES.values())


@pytest.mark.parametrize("secret", sorted(set(HOLDERS) - {"AWS_SECRET_ACCESS_KEY"}))
def test_each_secret_may_be_a_file(secret):
    for name in HOLDERS[secret]:
        environment = SERVICES[name]["environment"]
        assert environment[secret] or f"{secret}_FILE" in environment


def test_no_value_is_inserted_into_another():
    # A password with / ? # or $ would change inside a URL or a command line.
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            assert "${" not in (value or "") or name == "preflight", (name, variable)
        assert "PASSWORD}" not in str(service.get("command", "")).replace("$$", "")


def test_every_setting_reaches_a_container():
    page = (BASE_DIR / "docs/reference/settings.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", page, re.MULTILINE))
    passed = {variable for service in SERVICES.values() for variable in service.get("environment", {})}
    assert documented - passed == ELSEWHERE


# Set by the image, only for developers' machines, or for servers outside of the Compose file.
ELSEWHERE = {
    *("POSTGRES_PORT", "POSTGRES_SSLMODE", "POSTGRES_CA_FILE"),
    *("REDIS_PORT", "REDIS_DB", "REDIS_USER", "REDIS_TLS", "REDIS_CA_FILE"),
    *("MAILROOM_ROLE", "STATIC_ROOT", "DEBUG", "MAILROOM_LOCAL", "SIMULATOR_URL", "SIMULATOR_WEBHOOK_KEY"),
    *("SNS_CERTIFICATE_FILE", "DATABASE_URL", "REDIS_URL", "EMAIL_BACKEND", "SHADOWED_BACKEND", "SHADOW_PERCENT"),
    # Functions, which are set in a project's code.
    *(setting.name for setting in declared(UserSettings)),
}


def test_no_upgrade_replaces_the_servers():
    # Compose also replaces the containers that depend on a replaced one.
    ours = {name for name, service in SERVICES.items() if "build" in service}
    for name in ("postgres", "redis"):
        assert not set(SERVICES[name]["depends_on"]) & ours


UNITS = {"k": 1024, "m": 1024**2}


def test_documented_proxy_allows_the_largest_body_of_the_site():
    text = (BASE_DIR / "docs" / "proxy" / "nginx.conf").read_text()
    limits = [int(number) * UNITS[unit] for number, unit in re.findall(r"client_max_body_size (\d+)([km]);", text)]
    site, webhooks = limits
    assert site == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert webhooks >= max(webhook.max_bytes for webhook in filter(None, map(webhook_of, PROVIDERS)))
    assert "proxy_request_buffering on;" in text


def test_images_are_pinned():
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.search(r":(v|\$\{MAILROOM_VERSION:-)?\d+\.\d+(\.\d+)?", image) for image in images)


def test_no_port_is_reachable_from_outside_unless_asked_for():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(re.match(r"(127\.0\.0\.1|\$\{WEB_ADDRESS:-127\.0\.0\.1\}):", port) for port in ports)
