"""No code leaves state in a database session: behind a pooler, the next transaction may get another one."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
LEFT_BEHIND = {
    "a cursor": re.compile(r"\.iterator\("),
    "a lock": re.compile(r"\bpg_(try_)?advisory_lock"),
    "a setting": re.compile(r"execute\(\s*[\"']+\s*SET (?!LOCAL)|set_config\([^)]*, false\)", re.IGNORECASE),
    "a channel": re.compile(r"[\"']\s*LISTEN\b"),
    "a prepared statement": re.compile(r"\bprepare_threshold|[\"']\s*PREPARE\b"),
    "a temporary table": re.compile(r"\bCREATE TEMP", re.IGNORECASE),
}
# It first finds out that there is no pooler.
ASKS = ROOT / "notifications/models/prepared.py"


@pytest.mark.parametrize("what", LEFT_BEHIND)
def test_no_code_leaves_state_in_the_session(what):
    sources = [path for folder in ("accounts", "config", "notifications") for path in (ROOT / folder).rglob("*.py")]
    assert ASKS in sources
    assert [str(path) for path in sources if path != ASKS and LEFT_BEHIND[what].search(path.read_text())] == []


def test_server_side_cursors_are_disabled():
    assert settings.DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"]
