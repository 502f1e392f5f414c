"""During a trial, a worker composes the copies that a process has queued, and no provider gets them."""

import json

import pytest

from tests.live.running import eventually

pytestmark = pytest.mark.live

SEND = """
from django.core.mail import send_mail
for number in range(3):
    send_mail("Hi", "Text", "shop@example.com", [f"shadow{number}@example.com"], html_message="<p>Text</p>")
from django.core.mail import outbox
print(len(outbox))
"""


def test_worker_composes_copies_and_sends_none(live):
    trial = {
        "EMAIL_BACKEND": "notifications.backend.ShadowBackend",
        "SHADOWED_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    }
    sent = live.stack.manage("shell", "-v", "0", "-c", SEND, **trial)
    assert sent.split() == ["3"]
    eventually(lambda: live.sql("SELECT 1 FROM notifications_shadowcopy WHERE composed_at IS NOT NULL OFFSET 2"))
    report = json.loads(live.stack.manage("shadow_report", **trial).splitlines()[-1])
    assert (report["is_equal"], report["mailroom"]["equal"]) == (True, 3)
    assert [mail for mail in live.simulator.messages() if mail["to"].startswith("shadow")] == []
