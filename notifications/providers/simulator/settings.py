"""Settings of the local simulator."""

from notifications import conf
from notifications.conf.setting import text, url
from notifications.conf.value_checks import check_api_address


class SimulatorSettings(conf.Settings):
    SIMULATOR_URL = url("", "where the simulator answers", check=check_api_address)
    SIMULATOR_WEBHOOK_KEY = text("", "the verification key of the simulator's webhooks")


settings = SimulatorSettings()
