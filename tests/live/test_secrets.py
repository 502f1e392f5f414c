"""No secret leaves a worker except in an email: a search everywhere, after a run with every fault of a provider."""

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from psycopg import sql

from config.environment import BASE_DIR
from devtools.stack.site_client import PASSWORD
from tests.live.running import KEYS, Running, eventually

pytestmark = [pytest.mark.live, pytest.mark.long]

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
DECODED_SESSIONS = (
    "from django.contrib.sessions.models import Session; print([s.get_decoded() for s in Session.objects.all()])"
)
FLOWER_PAGES = ("/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks", "/api/queues/length", "/metrics")
FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "status", "error_status": 429},
    {"fault": "status", "error_status": 500},
    {"fault": "status", "error_status": 401},
    {"fault": "cut_before"},
    {"fault": "cut_after"},
    {"fault": "truncate"},
)
LONG_LINE = re.compile(r"^[^:\n]{40,}$", re.MULTILINE)


@dataclass(frozen=True)
class Places:
    """Everything that is stored or shown, by its place."""

    texts: dict[str, str]

    def holding(self, needles: dict[str, str]) -> set[tuple[str, str]]:
        """Return the names of `needles` (value by name) that were found, with the place."""
        return {(name, place) for name, value in needles.items() for place, text in self.texts.items() if value in text}


def everywhere(live: Running) -> Places:
    texts = {f"log {log.name}": log.read_text(errors="replace") for log in live.stack.supervisor.log_folder.iterdir()}
    for (table,) in live.sql(TABLES):
        rows = live.sql(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
        texts[f"table {table}"] = str(rows)
    texts["sessions"] = live.stack.manage("shell", "-v", "0", "-c", DECODED_SESSIONS)
    with redis.Redis.from_url(live.stack.environment["REDIS_URL"]) as client:
        texts["redis"] = str([client.dump(key) for key in client.scan_iter()])
    for page in FLOWER_PAGES:
        texts[f"flower {page}"] = live.flower(page).text
    return Places(texts)


def a_run(live: Running, provider: str) -> dict[str, str]:
    """Sign up and reset passwords through a failing `provider`; return the texts that must not be found."""
    addresses = [f"secrets-{provider}-{number}@example.com" for number in range(len(FAULTS))]
    with live.worker_for(provider):
        for address, fault in zip(addresses, FAULTS, strict=True):
            live.simulator.set_controls(fault_next=1, **fault)
            person = live.site_client()
            person.sign_up(address)
            person.ask_for_reset(address)
        live.simulator.set_controls(fault="none", fault_next=0)
        eventually(lambda: every_message_was_tried(live, addresses))
    mails = live.simulator.messages(to=f"secrets-{provider}-")
    for link in (found for mail in mails if (found := re.search(r"http://\S+/password-reset/\S+", mail["text"]))):
        live.site_client().http.get(link[0], timeout=120)
    tokens = {
        f"token {token}": token for mail in mails for token in re.findall(r"[0-9a-z]{5,}-[0-9a-f]{20,}", mail["text"])
    }
    bodies = {f"body {line}": line for mail in mails for line in LONG_LINE.findall(mail["text"])}
    assert len(tokens) >= len(addresses)
    assert bodies
    return tokens | bodies


def every_message_was_tried(live: Running, addresses: list[str]) -> bool:
    """Return whether each was sent or tried: after a refused key the next try comes only half a minute later."""
    ((done,),) = live.sql(
        "SELECT bool_and(status = 'sent' OR (status = 'queued' AND attempts > 0)) FROM notifications_message"
        " WHERE to_address = ANY(%s)",
        addresses,
    )
    return bool(done)


def test_no_secret_is_stored_or_shown_and_a_deliberate_leak_is_found(unattended):
    runs = a_run(unattended, "sendgrid") | a_run(unattended, "ses") | a_run(unattended, "postmark")
    needles = runs | KEYS | {"a person's password": PASSWORD}
    environment = unattended.stack.environment
    for name in ("SECRET_KEY", "POSTMARK_WEBHOOK_AUTH"):
        needles[name] = environment[name]
    needles |= {
        "Flower's password": unattended.stack.flower_password,
        "administrator's password": unattended.stack.admin_password,
    }
    del needles["AWS_ACCESS_KEY_ID"]  # a name, not a secret
    assert everywhere(unattended).holding(needles) == set()

    leak = unattended.stack.supervisor.log_folder / "leak.log"
    token = next(name for name in needles if name.startswith("token"))
    with leak.open("wb") as log:
        subprocess.run(
            [sys.executable, "-c", "import logging, os; logging.warning('sent with %s', os.environ['LEAK'])"],
            cwd=BASE_DIR,
            env={"LEAK": KEYS["SENDGRID_API_KEY"]},
            stderr=log,
            check=True,
        )
    unattended.sql("INSERT INTO django_session VALUES ('leak', %s, now())", f"reset {needles[token]}")
    try:
        assert everywhere(unattended).holding(needles) >= {
            ("SENDGRID_API_KEY", "log leak.log"),
            (token, "table django_session"),
        }
    finally:
        leak.unlink()
        unattended.sql("DELETE FROM django_session WHERE session_key = 'leak'")
