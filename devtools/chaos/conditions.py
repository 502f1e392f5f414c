"""The settings of a run that differ from the shipped defaults, each with its reason. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# The first is the preferred one.
PROVIDERS = ("ses", "sendgrid")

# A busy machine may be late by a second: a client must not hang up at the moment of an answer.
READ_S = 5.0
DEADLINE_S = 6.0
LEASE_S = 16.0
SETTLE_S = 4.0

# How both providers behave outside of their faults.
CONTROLS = {"latency_ms": 700, "quota_per_second": 200, "retry_after_s": 1}

# The run tests the shipped defaults, so it drops the caller's own settings of Mailroom.
KEPT = re.compile(r"(PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TMPDIR|TZ|VIRTUAL_ENV|LD_LIBRARY_PATH)")
SECRET = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|AUTH")
URL_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]+@")


@dataclass(frozen=True, kw_only=True)
class Setting:
    name: str
    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}={masked(self.name, self.value)}  ({self.why})"


def settings(simulator_url: str) -> list[Setting]:
    """Return the settings of a run, beside what every local stack sets."""
    two = "two providers, both simulated"
    hang = "a provider that hangs is noticed in seconds, so that a run ends in minutes"
    values = {
        "EMAIL_PROVIDERS": (",".join(PROVIDERS), two),
        "SES_REGION": ("eu-central-1", two),
        "SES_ENDPOINT_URL": (simulator_url, two),
        "AWS_ACCESS_KEY_ID": ("any", two),
        "AWS_SECRET_ACCESS_KEY": ("any", two),
        "SENDGRID_API_URL": (f"{simulator_url}/v3/", two),
        "SENDGRID_API_KEY": ("any", two),
        "EMAIL_RATE": (
            "ses=100,sendgrid=100",
            "recovery shows the speed of Mailroom, not SES's shipped 10/s; a 429 lowers it for minutes",
        ),
        "PROVIDER_CONNECT_TIMEOUT_S": ("2", hang),
        "PROVIDER_READ_TIMEOUT_S": (f"{READ_S:g}", hang),
        "PROVIDER_DEADLINE_S": (f"{DEADLINE_S:g}", hang),
        "DELIVERY_LEASE_S": (f"{LEASE_S:g}", "what a killed worker held is free again in seconds, not in a minute"),
        "UNCERTAIN_SETTLE_S": (f"{SETTLE_S:g}", "a kind's policy decides after seconds, not after ten minutes"),
    }
    return [Setting(name=name, value=value, why=why) for name, (value, why) in values.items()]


def kept_environment(caller: Mapping[str, str]) -> dict[str, str]:
    """Return the part of the caller's environment that the stack gets."""
    return {name: value for name, value in caller.items() if KEPT.fullmatch(name)}


def announced(chosen: list[Setting], environment: Mapping[str, str]) -> Iterator[str]:
    """Yield all settings of the stack's processes: the chosen ones, then those of every local stack."""
    yield from map(str, chosen)
    names = {setting.name for setting in chosen}
    for name, value in sorted(environment.items()):
        if name not in names and not KEPT.fullmatch(name):
            yield str(Setting(name=name, value=value, why="as in every local stack"))


def masked(name: str, value: str) -> str:
    return "***" if SECRET.search(name) else URL_PASSWORD.sub(r"\1***@", value)
