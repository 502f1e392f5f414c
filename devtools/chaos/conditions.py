"""The settings of a run that differ from the shipped defaults, each with its reason. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# The first is the preferred one.
PROVIDERS = ("ses", "sendgrid")

# Long enough that on a busy machine no client hangs up at the moment of an answer.
READ_S = 5.0
DEADLINE_S = 6.0
LEASE_S = 16.0
SETTLE_S = 4.0

# Of both providers, outside of their faults.
CONTROLS = {"latency_ms": 700, "quota_per_second": 200, "retry_after_s": 1}

# The run tests the shipped defaults, so it drops the caller's Mailroom settings.
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
    two = "two providers, both simulated"
    hang = "notices a hung provider in seconds, so that a run takes minutes"
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
            "so that recovery times show Mailroom's speed, not SES's default 10/s; a 429 lowers it for minutes",
        ),
        "PROVIDER_CONNECT_TIMEOUT_S": ("2", hang),
        "PROVIDER_READ_TIMEOUT_S": (f"{READ_S:g}", hang),
        "PROVIDER_DEADLINE_S": (f"{DEADLINE_S:g}", hang),
        "DELIVERY_LEASE_S": (f"{LEASE_S:g}", "a killed worker's messages are retried after seconds, not a minute"),
        "UNCERTAIN_SETTLE_S": (f"{SETTLE_S:g}", "uncertain messages are settled after seconds, not ten minutes"),
    }
    return [Setting(name=name, value=value, why=why) for name, (value, why) in values.items()]


def kept_environment(caller: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in caller.items() if KEPT.fullmatch(name)}


def announced(chosen: list[Setting], environment: Mapping[str, str]) -> Iterator[str]:
    """Format all settings of the stack's processes, the chosen ones first."""
    yield from map(str, chosen)
    names = {setting.name for setting in chosen}
    for name, value in sorted(environment.items()):
        if name not in names and not KEPT.fullmatch(name):
            yield str(Setting(name=name, value=value, why="as in every local stack"))


def masked(name: str, value: str) -> str:
    return "***" if SECRET.search(name) else URL_PASSWORD.sub(r"\1***@", value)
