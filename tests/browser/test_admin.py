"""The admin, under the same content security policy as the users' pages."""

from dataclasses import asdict
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from devtools.simulator.controls import Controls
from notifications.delivery.preview import PLACEHOLDER
from tests.live.running import eventually

IS_RETRIED = "SELECT 1 FROM notifications_message WHERE to_address = %s AND status = 'queued' AND attempts > 0"


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
    for link in sorted({*links, f"{operator.site_url}/admin/email/"}):
        assert operator.go(link).ok, link
        operator.page.wait_for_load_state("load")
        row = operator.page.locator("#result_list tbody th a").first
        if row.count():
            row.click()
            operator.page.wait_for_load_state("load")


def test_operator_lifts_and_resends_in_one_step_and_follows_it(operator, trouble):
    open_row(operator, "message", trouble["bounced"])
    operator.sees("Timeline")
    follow_action(operator, "resend")
    operator.page.locator("[name=do][value='lift.suppressed']:checked").wait_for()
    operator.page.locator("#id_why").fill("the mailbox is there again")
    submit(operator)
    operator.page.locator(".messagelist .success").wait_for()
    # It waits until the address is off the provider's list. The simulator bounces it again, and the page shows that.
    operator.page.locator(".followed [data-status=queued] .help").wait_for()
    operator.running.sql("UPDATE notifications_message SET due_at = now(), relay_after = now() WHERE due_at > now()")
    operator.page.locator(".followed [data-outcome=bounced]").wait_for()
    expect(operator.page.locator(".followed .failed")).to_be_visible()
    expect(operator.page.locator("[data-live-url]")).to_have_count(0)
    # The rest of the page too.
    expect(operator.page.locator("[data-follows=timeline]")).to_contain_text("simulator")


def test_operator_replays_and_settles(operator, trouble):
    open_row(operator, "deadletter", trouble["dead"])
    follow_action(operator, "resend")
    operator.page.locator("[name=do][value='replay.sends']:checked").wait_for()
    submit(operator)
    operator.page.locator(".followed [data-status=sent]").wait_for()
    assert operator.running.accepted({trouble["dead"]}) == {trouble["dead"]: 1}
    open_row(operator, "uncertainmessage", trouble["uncertain"])
    follow_action(operator, "settle")
    submit(operator)
    operator.page.locator(".messagelist").wait_for()
    eventually(lambda: operator.running.statuses({trouble["uncertain"]}) != {"uncertain"})


def test_operator_sends_several_again_each_as_it_needs(operator, trouble):
    choose_in_list(operator, "send_again_selected", trouble["dead"], trouble["uncertain"])
    # A second copy is not ticked.
    expect(operator.page.locator("[name=do]:checked")).to_have_count(1)
    operator.page.locator("[name=do][value='settle.may-arrive-twice']").check()
    submit(operator)
    expect(operator.page.locator(".followed [data-status=sent]")).to_have_count(2)
    assert operator.running.statuses({trouble["dead"], trouble["uncertain"]}) == {"sent"}


def test_operator_cancels_a_queued_message(operator, retrying):
    choose_in_list(operator, "cancel_selected", retrying)
    operator.page.locator("#id_why").fill("wrong text")
    submit(operator)
    operator.page.locator(".messagelist .success").wait_for()
    assert operator.running.statuses({retrying}) == {"cancelled"}
    # Back in the list.
    open_row(operator, "message", retrying)
    operator.sees("wrong text")
    operator.running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    assert operator.running.accepted({retrying}) == {retrying: 0}


def test_account_and_messages_link_to_each_other(operator, trouble):
    open_row(operator, "message", trouble["dead"])
    operator.page.locator(".field-user a").click()
    operator.page.locator(".field-sent_messages a").click()
    expect(operator.page.locator("#result_list")).to_contain_text(trouble["dead"])


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
    choose_in_list(operator, "send_again_selected", retrying)
    operator.page.locator("[name=do][value^='retry.']:checked").wait_for()
    operator.running.simulator.set_controls(**asdict(Controls(latency_ms=2000)))
    submit(operator)
    operator.page.locator(".followed [data-status=sent]").wait_for()
    # The rest of the page follows too: a sent message cannot be cancelled.
    expect(operator.page.locator("a[href$='/cancel/']")).to_have_count(0)
    eventually(lambda: operator.running.statuses({retrying}) == {"sent"})
    assert operator.running.accepted({retrying}) == {retrying: 1}


def test_operator_sees_the_email_that_was_sent(operator):
    address = f"preview-{uuid4().hex[:8]}@example.com"
    operator.running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    operator.running.site_client().sign_up(address)
    eventually(lambda: operator.running.statuses({address}) == {"sent"})
    open_row(operator, "message", address)
    frame = operator.page.frame_locator(".preview iframe")
    expect(frame.locator("h1")).to_be_visible()
    button = frame.locator(f"a[href='{PLACEHOLDER}']").first
    expect(button).to_have_css("outline-style", "dashed")
    expect(button).to_have_css("pointer-events", "none")
    operator.page.locator(".preview summary").click()
    expect(operator.page.locator(".preview pre")).to_contain_text(PLACEHOLDER)


def open_row(operator, model, address):
    operator.go(f"/admin/notifications/{model}/")
    operator.page.locator("#result_list tr", has_text=address).get_by_role("link").first.click()


def choose_in_list(operator, action, *addresses):
    operator.go("/admin/notifications/message/")
    for address in addresses:
        operator.page.locator("tr", has_text=address).locator(".action-select").check()
    operator.page.select_option("[name=action]", action)
    operator.page.locator("button[name=index]").click()


def follow_action(operator, name):
    operator.page.locator(f"#content a[href*='/{name}/']").first.click()


def submit(operator):
    operator.page.locator(".submit-row [type=submit]").first.click()
