"""Exempt loopback from the machine's proxy settings."""

from collections.abc import MutableMapping

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Libraries differ in which of the two they read; requests and urllib prefer the lower case.
VARIABLES = ("no_proxy", "NO_PROXY")


def exempt(environment: MutableMapping[str, str]) -> None:
    """Add loopback to the hosts that `environment` exempts from proxies, under both spellings."""
    named = [name.strip() for variable in VARIABLES for name in environment.get(variable, "").split(",")]
    value = ",".join(dict.fromkeys(name for name in [*named, *LOOPBACK] if name))
    for variable in VARIABLES:
        environment[variable] = value
