"""The admin, under the same content security policy as the users' pages."""

from dataclasses import asdict
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from devtools.simulator.controls import Controls
from devtools.stack.stack import ADMIN_ADDRESS
from notifications.admin.reasons import OBSTACLES
from notifications.outbox.resend import Obstacle
from tests.browser.looks import DESKTOP, Look
from tests.browser.visitor import Visitor
from tests.live.running import eventually

IS_RETRIED = "SELECT 1 FROM notifications_message WHERE to_address = %s AND status = 'queued' AND attempts > 0"


@pytest.fixture
def operator(running, browser):
    """An administrator whose browser reports no errors."""
    look = Look(name="operator", viewport=DESKTOP)
    with look.open(browser) as context:
        operator = Visitor(context.new_page(), running)
        operator.page.set_default_timeout(15_000)
        operator.go("/admin/login/")
        operator.fill_in(username=ADMIN_ADDRESS, password=running.stack.admin_password)
        operator.page.locator("[type=submit]").click()
        yield operator
    assert operator.errors.messages == []


@pytest.fixture
def trouble(running):
    """Return the addresses of three new users: one bounced, one dead letter, one uncertain message."""
    mark = uuid4().hex[:8]
    people = {"bounced": f"bounce-{mark}@example.com", "dead": f"dead-{mark}@example.com"}
    people["uncertain"] = f"uncertain-{mark}@example.com"
    running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    running.site_client().sign_up(people["bounced"])
    eventually(lambda: running.sql("SELECT 1 FROM notifications_suppression WHERE address = %s", people["bounced"]))
    for name, controls in (
        ("dead", {"error_rate": 1, "error_status": 400}),
        ("uncertain", {"fault": "cut_after", "fault_rate": 1, "webhook_lost_rate": 1}),
    ):
        running.simulator.set_controls(**asdict(Controls(latency_ms=0)) | controls)
        running.site_client().sign_up(people[name])
        eventually(lambda name=name: running.statuses({people[name]}) == {name})
    running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    return people


def test_no_admin_page_has_browser_errors(operator, trouble):
    operator.go("/admin/")
    links = operator.page.locator("#content-main a, #user-tools a").evaluate_all("all => all.map(one => one.href)")
    assert len(links) > 8
    for link in sorted({*links, f"{operator.site_url}/admin/status/"}):
        assert operator.go(link).ok, link
        operator.page.wait_for_load_state("load")
        row = operator.page.locator("#result_list tbody th a").first
        if row.count():
            row.click()
            operator.page.wait_for_load_state("load")


def test_operator_resends_replays_settles_and_lifts(operator, trouble):
    open_row(operator, "suppression", trouble["bounced"])
    follow_action(operator, "lift")
    operator.page.locator("#id_why").fill("the mailbox is there again")
    submit(operator)
    operator.page.locator(".messagelist").wait_for()
    # Before the lift there is no button: the copy would be suppressed.
    open_row(operator, "message", trouble["bounced"])
    operator.sees("Timeline")
    follow_action(operator, "resend")
    submit(operator)
    operator.page.locator(".messagelist").wait_for()
    open_row(operator, "deadletter", trouble["dead"])
    follow_action(operator, "replay")
    submit(operator)
    operator.page.locator(".messagelist").wait_for()
    eventually(lambda: operator.running.statuses({trouble["dead"]}) == {"sent"})
    open_row(operator, "uncertainmessage", trouble["uncertain"])
    follow_action(operator, "settle")
    submit(operator)
    operator.page.locator(".messagelist").wait_for()
    eventually(lambda: operator.running.statuses({trouble["uncertain"]}) != {"uncertain"})


def test_operator_replays_from_the_list(operator, trouble):
    operator.go("/admin/notifications/deadletter/")
    operator.page.locator("tr", has_text=trouble["dead"]).locator(".action-select").check()
    operator.page.select_option("[name=action]", "replay_selected")
    operator.page.locator("button[name=index]").click()
    submit(operator)
    eventually(lambda: operator.running.statuses({trouble["dead"]}) == {"sent"})


@pytest.fixture
def retrying(running):
    """Return the address of a queued email that waits for its next attempt."""
    address = f"retrying-{uuid4().hex[:8]}@example.com"
    running.simulator.set_controls(**asdict(Controls(latency_ms=0)) | {"error_rate": 1, "error_status": 503})
    running.site_client().sign_up(address)
    eventually(lambda: running.sql(IS_RETRIED, address))
    return address


def test_queued_message_is_retried_instead_of_resent(operator, retrying):
    operator.go("/admin/notifications/message/")
    operator.page.locator("tr", has_text=retrying).locator(".action-select").check()
    operator.page.select_option("[name=action]", "resend_selected")
    operator.page.locator("button[name=index]").click()
    operator.page.locator("[name=retry]").wait_for()
    assert operator.page.locator("[name=resend]").count() == 0
    expect(operator.page.locator("#content")).to_contain_text(str(OBSTACLES[Obstacle.QUEUED]))
    operator.running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    operator.page.locator("[name=retry]").click()
    operator.page.locator(".messagelist").wait_for()
    eventually(lambda: operator.running.statuses({retrying}) == {"sent"})
    assert operator.running.accepted({retrying}) == {retrying: 1}


def open_row(operator, model, address):
    operator.go(f"/admin/notifications/{model}/")
    operator.page.locator("#result_list tr", has_text=address).get_by_role("link").first.click()


def follow_action(operator, name):
    operator.page.locator(f"#content a[href*='/{name}/']").first.click()


def submit(operator):
    operator.page.locator(".submit-row [type=submit]").first.click()
