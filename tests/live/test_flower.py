"""Flower says of each task what the rows of its messages say."""

import json
import re
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from notifications.rules.states import Status
from notifications.runtime.task_names import without_count
from tests.live.running import Running, eventually
from tests.live.test_way import posted
from tests.operations.flower import STATES

pytestmark = [pytest.mark.live, pytest.mark.long]

# Before the relay would publish them in another task, every test is over.
PUBLISH = """
import json, sys
from datetime import timedelta
from django.db.models.functions import Now
from accounts.models import User
from notifications.models import Message, Suppression
from notifications.outbox import publish
from notifications.rules.states import Stream
from notifications.rules.suppression import Reason
later = Now() + timedelta(hours=1)
users = User.objects.bulk_create([
    User(email=f"{name}@example.com", is_active="closed" not in name, wants_news=True) for name in names
])
for user in users:
    if "suppressed" in user.email:
        Suppression.objects.create(address=user.email, reason=Reason.HARD_BOUNCE)
messages = Message.objects.bulk_create([
    Message(kind=kind, stream="default", user=user, to_address=user.email, idempotency_key=f"flower:{user.email}",
            relay_after=later, expires_at=later, context={"headline": "News", "paragraphs": ["One."]})
    for user in users
])
chunks = [messages] if together else [[message] for message in messages]
assert publish.publish(chunks, Stream.DEFAULT) == len(chunks)
print(json.dumps([str(message.id) for message in messages]))
"""


def published(live: Running, kind: str, names: list[str], *, together: bool = False) -> list[str]:
    """Publish messages in one task each, or in one for all; return their ids."""
    given = f"kind, names, together = {kind!r}, {names!r}, {together}"
    said = live.stack.manage("shell", "-v", "0", "-c", given + PUBLISH)
    return list(json.loads(said.splitlines()[-1]))


def status_of(live: Running, message_id: str) -> Status:
    ((status,),) = live.sql("SELECT status FROM notifications_message WHERE id = %s", message_id)
    return Status(status)


def ended(live: Running, task_id: str) -> Any:
    """Return a task from Flower when it has ended."""
    return eventually(
        lambda: task if (task := live.task_in_flower(task_id)).get("state") in {"SUCCESS", "FAILURE", "RETRY"} else None
    )


def group_of(live: Running, message_id: str) -> str:
    rows = live.sql("SELECT task_id FROM notifications_deliveryattempt WHERE message_id = %s", message_id)
    return str(rows[0][0]) if rows else ""


def stored(live: Running, task_id: str) -> tuple:
    ((state, kind),) = live.sql(
        "SELECT status, task_name FROM django_celery_results_taskresult WHERE task_id = %s", task_id
    )
    return state, kind


@pytest.fixture(autouse=True)
def _quiet(live):
    # The faults of the provider must not meet the emails of other tests.
    eventually(lambda: not live.sql("SELECT FROM notifications_message WHERE status IN ('queued', 'sending')"))


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("flower-sent", Status.SENT, "sent: simulator "),
        ("invalid-flower", Status.DEAD, "DeadError('simulator/"),
        ("flower-closed", Status.CANCELLED, "cancelled: "),
        ("flower-suppressed", Status.SUPPRESSED, "suppressed: "),
    ],
)
def test_state_of_a_task_is_that_of_its_message(live, name, status, said):
    (message_id,) = published(live, "welcome", [name])
    task = ended(live, message_id)
    assert status_of(live, message_id) == status
    assert (task["name"], task["state"]) == ("welcome", STATES[status])
    assert stored(live, message_id) == (STATES[status], "welcome")
    assert said in (task["result"] or task["exception"])
    assert name not in str(task)


def test_lost_response_is_a_failure(live):
    live.simulator.set_controls(fault="cut_before", fault_next=1)
    (message_id,) = published(live, "product-news", ["flower-uncertain"])
    task = ended(live, message_id)
    assert status_of(live, message_id) == Status.UNCERTAIN
    assert (task["name"], task["state"]) == ("product-news", "FAILURE")
    assert task["exception"].startswith("UncertainError(")
    assert stored(live, message_id) == ("FAILURE", "product-news")


def test_message_that_waits_for_the_relay_is_in_retry(live):
    (message_id,) = published(live, "of-a-newer-release", ["flower-waiting"])
    task = ended(live, message_id)
    assert (status_of(live, message_id), task["state"]) == (Status.QUEUED, "RETRY")
    assert "QueuedError(" in task["exception"]
    # Other tests wait until nothing is queued.
    live.sql("UPDATE notifications_message SET status = 'cancelled' WHERE id = %s", message_id)


def test_group_fails_with_the_counts_of_its_rows_and_links_to_the_admin(live):
    live.simulator.set_controls(fault="cut_before", fault_next=1)
    names = ["group-flower-1", "invalid-group", "group-closed", "group-flower-2"]
    ids = published(live, "product-news", names, together=True)
    task_id = eventually(lambda: group_of(live, ids[0]))
    task = ended(live, task_id)
    statuses = Counter(status_of(live, message_id) for message_id in ids)
    assert statuses == {Status.UNCERTAIN: 1, Status.DEAD: 1, Status.CANCELLED: 1, Status.SENT: 1}
    assert (task["name"], task["state"]) == ("product-news \N{MULTIPLICATION SIGN}4", "FAILURE")
    for status in (Status.DEAD, Status.UNCERTAIN):
        assert f"{statuses[status]} of 4 {status.value}" in task["exception"]
    assert stored(live, task_id) == ("FAILURE", "product-news")
    _leads_to_its_messages(live, task_id, ids)


def _leads_to_its_messages(live, task_id, ids):
    page = live.flower(f"/task/{task_id}").text
    (url,) = set(re.findall(r'href="(http[^"]+/admin/[^"]+)"', page))
    assert url.startswith(live.stack.site_url)
    admin = live.site_client().http
    login = {"username": "admin@mailroom.example", "password": live.stack.admin_password}
    assert posted(admin, f"{live.stack.site_url}/admin/login/", **login).status_code == 302
    result = admin.get(url, timeout=120)
    assert urlsplit(result.url).path.startswith("/admin/django_celery_results/taskresult/")
    message_pages = [f"/admin/notifications/message/{message_id}/change/" for message_id in ids]
    assert all(message_page in result.text for message_page in message_pages)
    # And back.
    message_page = admin.get(live.stack.site_url + message_pages[0], timeout=120).text
    assert f'href="{live.stack.flower_url}/task/{task_id}"' in message_page


def test_only_deliveries_are_in_the_list(live):
    ended(live, published(live, "welcome", ["flower-listed"])[0])
    # The periodic jobs run every 15 seconds.
    eventually(lambda: "PostgreSQL" in live.flower("/broker").text)
    kinds = {kind for (kind,) in live.sql("SELECT DISTINCT kind FROM notifications_message")}
    # A task whose first event Flower has missed has no name.
    names = {task["name"] for task in live.flower("/api/tasks").json().values()} - {None}
    counted = {without_count(name) for name in names}
    assert {name for name in counted if not re.fullmatch(r"\d+ kinds", name)} <= kinds
