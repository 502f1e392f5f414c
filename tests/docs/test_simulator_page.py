"""docs/simulator.md names what the simulator has."""

import re

from config.environment import BASE_DIR
from notifications.simulator.dials import KNOBS
from notifications.simulator.fates import LOCAL_PARTS
from notifications.simulator.faults import ANSWERED, UNHEARD, Fault
from notifications.simulator.simulation import DIALECTS


def test_page_names_every_dial_fault_fate_and_provider():
    named = set(re.findall(r"`(\w+)`", (BASE_DIR / "docs" / "simulator.md").read_text()))
    has = {*KNOBS, *LOCAL_PARTS, *ANSWERED.values(), UNHEARD, *(dialect.name for dialect in DIALECTS)}
    assert (has | {fault.value for fault in Fault if fault is not Fault.NONE}) - named == set()
