"""docs/reference/simulator.md names all controls, faults, outcomes and providers."""

import re

from config.environment import BASE_DIR
from devtools.simulator.controls import CONTROLS
from devtools.simulator.faults import ANSWERED, UNREAD, Fault
from devtools.simulator.outcomes import LOCAL_PARTS
from devtools.simulator.simulation import DIALECTS


def test_page_names_every_control_fault_outcome_and_provider():
    named = set(re.findall(r"`(\w+)`", (BASE_DIR / "docs/reference/simulator.md").read_text()))
    has = {*CONTROLS, *LOCAL_PARTS, *ANSWERED.values(), UNREAD, *(dialect.name for dialect in DIALECTS)}
    assert (has | {fault.value for fault in Fault if fault is not Fault.NONE}) - named == set()
