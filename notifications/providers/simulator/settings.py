"""Settings of the local simulator."""

from notifications import conf
from notifications.conf import value_checks
from notifications.conf.setting import text, url


class SimulatorSettings(conf.Settings):
    SIMULATOR_URL = url("", "where the simulator answers", check=value_checks.api_address)
    SIMULATOR_WEBHOOK_KEY = text("", "the verification key of the simulator's webhooks")


settings = SimulatorSettings()
