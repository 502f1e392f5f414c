"""Settings have Django's value or their default, and are checked."""

import re

import pytest
from django.conf import global_settings
from django.core.checks import run_checks

from config.environment import BASE_DIR
from notifications import checks, conf
from notifications.conf import parsing
from notifications.runtime.roles import Role

EVERY = list(conf.every_setting())


def test_setting_has_its_default_until_the_project_sets_it(settings):
    del settings.RELAY_INTERVAL_S
    assert conf.settings.RELAY_INTERVAL_S == 0.5
    assert not conf.is_set("RELAY_INTERVAL_S")
    settings.RELAY_INTERVAL_S = 2.0
    assert conf.settings.RELAY_INTERVAL_S == 2.0
    assert conf.is_set("RELAY_INTERVAL_S")


def test_address_has_one_form_wherever_it_comes_from(settings):
    settings.SITE_URL = "https://mail.example.com/"
    assert conf.settings.SITE_URL == "https://mail.example.com"


def test_setting_of_django_passes_through(settings):
    settings.LANGUAGE_CODE = "de"
    assert conf.settings.LANGUAGE_CODE == "de"
    with pytest.raises(AttributeError):
        _ = conf.settings.NO_SUCH_SETTING


def test_default_list_is_copied_for_each_reader(settings):
    del settings.EMAIL_PROVIDERS
    conf.settings.EMAIL_PROVIDERS.append("ses")
    assert conf.settings.EMAIL_PROVIDERS == []


def test_role_comes_from_the_environment_unless_the_project_sets_it(settings, monkeypatch):
    del settings.MAILROOM_ROLE
    monkeypatch.delenv("MAILROOM_ROLE", raising=False)
    assert conf.settings.MAILROOM_ROLE == Role.MANAGE
    monkeypatch.setenv("MAILROOM_ROLE", "relay")
    assert conf.settings.MAILROOM_ROLE == Role.RELAY


@pytest.mark.parametrize("setting", EVERY, ids=lambda setting: setting.name)
def test_default_fits_its_own_parser(setting):
    assert setting.parser.accept(setting.default) == setting.default


@pytest.mark.parametrize(
    ("parser", "value"),
    [
        (parsing.whole_parser(), "3"),
        (parsing.whole_parser(), True),
        (parsing.whole_parser(1), 0),
        (parsing.number_parser(), "0.5"),
        (parsing.number_parser(), float("nan")),
        (parsing.number_parser(0, 1), 2),
        (parsing.flag_parser(), 1),
        (parsing.text_parser(), None),
        (parsing.list_parser(), "ses"),
        (parsing.list_parser(), ["ses", 1]),
        (parsing.choice_parser(["a"]), "b"),
    ],
)
def test_value_of_another_type_is_refused(parser, value):
    with pytest.raises(parsing.NotReadableError):
        parser.accept(value)


@pytest.mark.parametrize(("name", "value"), [("RELAY_INTERVAL_S", "fast"), ("EMAIL_ADDRESS_HOURLY", "10")])
def test_check_names_the_setting_of_another_type(settings, name, value):
    setattr(settings, name, value)
    (found,) = run_checks(tags=["mailroom"])
    assert found.id == "mailroom.E030"
    assert found.msg.startswith(name)


@pytest.mark.parametrize("path", ["no.such.function", "os.sep"])
def test_path_that_leads_to_no_function_is_reported(settings, path):
    settings.USER_LANGUAGE = path
    assert {found.id for found in run_checks(tags=["mailroom"])} == {"mailroom.E055"}


@pytest.mark.parametrize(
    ("role", "ids"),
    [
        (Role.MANAGE, {"mailroom.W012", "mailroom.W013", "mailroom.W014"}),
        (Role.WORKER, {"mailroom.E002", "mailroom.W013", "mailroom.E009"}),
    ],
)
def test_missing_setting_of_a_new_project_stops_only_processes_that_use_it(settings, role, ids):
    del settings.EMAIL_PROVIDERS, settings.SITE_URL
    settings.DEFAULT_FROM_EMAIL = global_settings.DEFAULT_FROM_EMAIL
    settings.MAILROOM_ROLE = role
    found = [*checks.providers(None), *checks.site_url(None), *checks.from_address(None)]
    assert {message.id for message in found} == ids
    assert all(message.hint for message in found)


ENGINE = BASE_DIR / "notifications"
MODULES = [path for path in sorted(ENGINE.rglob("*.py")) if path.parent.name != "migrations"]


def test_every_setting_that_the_engine_reads_is_declared_or_djangos():
    known = {setting.name for setting in EVERY} | set(dir(global_settings))
    read = {path: set(re.findall(r"\bsettings\.([A-Z][A-Z0-9_]+)", path.read_text())) for path in MODULES}
    assert {str(path): names - known for path, names in read.items() if names - known} == {}


def test_engine_reads_its_settings_here():
    reads = re.compile(r"^ *from django\.conf import settings$", re.MULTILINE)
    found = {str(path.relative_to(ENGINE)) for path in MODULES if reads.search(path.read_text())}
    # The user model is a name that Django resolves.
    assert found <= {"models/message.py"}
