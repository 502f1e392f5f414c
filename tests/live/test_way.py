"""A message passes through real processes: what users, administrators and operators see."""

import re
from datetime import datetime

import pytest
import requests

from devtools.stack.site_client import PASSWORD
from tests.live.running import eventually

pytestmark = pytest.mark.live


def message_id(live, address):
    ((found,),) = live.sql("SELECT id FROM notifications_message WHERE to_address = %s", address)
    return str(found)


def mail_to(live, address, subject=""):
    return eventually(lambda: live.simulator.messages(to=address, subject=subject))[0]


def link_in(mail, path):
    return re.search(rf"http://\S+/{path}/\S+", mail["text"])[0]


def posted(http, url, *hidden, **fields):
    """Post a form of the admin, with its token and the values of its `hidden` fields."""
    page = http.get(url, timeout=120).text
    names = ("csrfmiddlewaretoken", *hidden)
    fields |= {name: re.search(rf'name="{name}"\s+value="([^"]+)"', page)[1] for name in names}
    return http.post(url, data=fields, headers={"Referer": url}, allow_redirects=False, timeout=120)


def test_user_signs_up_confirms_and_logs_in(live):
    person = live.site_client()
    person.sign_up("way@example.com", "Ada Lovelace")
    mail = mail_to(live, "way@example.com")
    # An email to an unconfirmed address holds no name.
    assert (mail["to"], mail["to_name"]) == ("way@example.com", "")
    path = link_in(mail, "confirm").removeprefix(live.stack.site_url)
    assert person.fill_in(path).status == 302
    ((confirmed,),) = live.sql("SELECT confirmed_at FROM accounts_user WHERE email = 'way@example.com'")
    assert confirmed is not None
    # In the browser of the sign-up, confirming also logs in. Another device has to enter the password.
    assert person.http.get(f"{live.stack.site_url}/account/preferences/", timeout=120).ok
    assert live.site_client().fill_in(path).status == 200
    assert live.site_client().fill_in("/log-in/", username="Way@Example.com", password=PASSWORD).location == "/"


def test_user_sets_a_new_password(live):
    person = live.site_client()
    person.sign_up("reset@example.com")
    person.ask_for_reset("reset@example.com")
    mail = mail_to(live, "reset@example.com", "password")
    page = person.http.get(link_in(mail, "password-reset"), timeout=120)
    where = page.url.removeprefix(live.stack.site_url)
    assert person.fill_in(where, password="quite another password").location == "/password-reset/complete/"
    done = person.fill_in("/log-in/", username="reset@example.com", password="quite another password")
    assert done.location == "/"


def test_administrator_resends(live):
    live.site_client().sign_up("again@example.com")
    mail_to(live, "again@example.com")
    old = message_id(live, "again@example.com")
    # A message that a worker still holds is not resent.
    eventually(lambda: live.sql("SELECT 1 FROM notifications_message WHERE id = %s AND status = 'sent'", old))
    admin = live.site_client().http
    login = {"username": "admin@mailroom.example", "password": live.stack.admin_password}
    assert posted(admin, f"{live.stack.site_url}/admin/login/", **login).status_code == 302
    resend = f"{live.stack.site_url}/admin/notifications/message/{old}/resend/"
    assert posted(admin, resend, "request_id", "messages", "do").status_code == 302
    eventually(lambda: live.accepted({"again@example.com"})["again@example.com"] == 2)
    tokens = {link_in(mail, "confirm") for mail in live.simulator.messages(to="again@example.com")}
    ids = {mail["metadata"]["mailroom_message_id"] for mail in live.simulator.messages(to="again@example.com")}
    assert (len(tokens) >= 1, len(ids)) == (True, 2)


def test_flower_shows_a_retry_with_its_time_and_then_success(live):
    # The next refusals must not meet the emails of other tests.
    eventually(lambda: not live.sql("SELECT FROM notifications_message WHERE status IN ('queued', 'sending')"))
    # The second pause is long enough to be seen, even on a busy machine.
    live.simulator.set_controls(fail_next=2)
    live.site_client().sign_up("retry@example.com")
    task_id = message_id(live, "retry@example.com")

    def state():
        answer = live.flower(f"/api/task/result/{task_id}")
        return answer.json()["state"] if answer.ok else ""

    eventually(lambda: state() == "RETRY")
    # The event of the retry may come after the one that names its time.
    task = eventually(
        lambda: shown if (shown := live.task_in_flower(task_id)).get("eta") and shown["retried"] else None
    )
    assert task["retries"] >= 1
    assert datetime.fromisoformat(task["eta"]).timestamp() > task["retried"]
    eventually(lambda: state() == "SUCCESS")
    done = eventually(lambda: info if (info := live.task_in_flower(task_id)).get("succeeded") else None)
    assert (done["state"], done["kwargs"]) == ("SUCCESS", "{}")
    rows = live.sql(
        "SELECT number, result FROM notifications_deliveryattempt WHERE message_id = %s ORDER BY number", task_id
    )
    assert rows == [(1, "transient"), (2, "transient"), (3, "accepted")]
    ((stored,),) = live.sql(
        "SELECT status FROM django_celery_results_taskresult WHERE task_id = %s AND status = 'SUCCESS'", task_id
    )
    assert stored == "SUCCESS"


def test_flower_knows_the_three_queues_and_requires_the_password(live):
    def queues():
        # Workers that another test has killed may still be starting.
        live.flower("/api/workers?refresh=1")
        return {queue["name"] for queue in live.flower("/api/queues/length").json()["active_queues"]}

    eventually(lambda: queues() == {"critical", "default", "bulk"})
    for path in ("/", "/api/workers", "/api/tasks", "/broker"):
        assert requests.get(live.stack.flower_url + path, timeout=120).status_code == 401


@pytest.mark.parametrize(
    "path", ["/api/worker/shutdown/main", "/api/task/apply/mailroom.deliver", "/api/task/revoke/x"]
)
def test_flower_is_read_only(live, path):
    auth = ("operator", live.stack.flower_password)
    assert requests.post(live.stack.flower_url + path, auth=auth, timeout=120).status_code in {403, 404, 405}
    assert live.stack.supervisor.state("worker-main") == "RUNNING"


def test_token_leaves_the_worker_only_in_the_email(live):
    person = live.site_client()
    person.sign_up("secret@example.com")
    person.ask_for_reset("secret@example.com")
    mail = mail_to(live, "secret@example.com", "password")
    token = link_in(mail, "password-reset").rstrip("/").rpartition("/")[2]
    person.http.get(link_in(mail, "password-reset"), timeout=120)
    # A good token under a wrong address is refused, and a refusal is logged with its path.
    refused = person.http.get(f"{live.stack.site_url}/confirm/MQ/{token}/", timeout=120)
    assert refused.status_code == 410
    # The supervisor writes the output of a process into its log.
    logs = eventually(lambda: text if "Gone: /confirm/MQ/" in (text := live.logs()) else "")
    tasks = live.flower("/api/tasks").text
    ((rows,),) = live.sql(
        "SELECT (SELECT json_agg(m)::text FROM notifications_message m)"
        " || (SELECT coalesce(json_agg(t)::text, '') FROM django_celery_results_taskresult t)"
    )
    assert token
    assert token not in logs
    assert token not in tasks
    assert token not in rows


def test_settings_do_not_leak_through_flower(live):
    shown = eventually(lambda: text if "main@" in (text := live.flower("/api/workers?refresh=1").text) else "")
    for secret in ("SECRET_KEY", "DATABASE_URL", live.stack.environment["SECRET_KEY"]):
        assert secret not in shown
    for server in live.stack.servers:
        assert server.url not in shown
