"""An operator pauses, resumes and cancels in a browser."""

from dataclasses import asdict
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from devtools.simulator.controls import Controls
from devtools.stack.stack import ADMIN_ADDRESS
from tests.browser.looks import LOOKS
from tests.browser.visitor import Visitor
from tests.live.running import eventually

PARKED = "SELECT 1 FROM notifications_message WHERE to_address = %s AND status = 'queued' AND relay_after = expires_at"


@pytest.fixture(params=LOOKS, ids=str)
def operator(request, running, browser):
    """An administrator whose browser reports no errors."""
    running.simulator.set_controls(**asdict(Controls(latency_ms=0)))
    with request.param.open(browser) as context:
        operator = Visitor(context.new_page(), running)
        operator.page.set_default_timeout(15_000)
        operator.go("/admin/login/")
        operator.fill_in(username=ADMIN_ADDRESS, password=running.stack.admin_password)
        operator.page.locator("[type=submit]").click()
        yield operator
    assert operator.errors.messages == []


@pytest.fixture
def steering(operator):
    """The steering page, on which nothing is paused before and after the test."""
    operator.go("/admin/steering/")
    yield operator
    operator.go("/admin/steering/")
    while (resume := act(operator, "resume")).count():
        resume.first.click()
        confirm(operator)


def act(operator, name):
    """Return the buttons of the forms of an act."""
    return operator.page.locator(f"form:has([name=act][value={name}]) [type=submit]")


def confirm(operator):
    # The page before may still be shown, or nothing yet.
    operator.page.locator("[name=confirmed]").wait_for()
    fits(operator)
    operator.page.locator("[name=confirmed]").click()
    operator.page.locator(".messagelist .success").wait_for()


def fits(operator):
    """Expect that the page does not scroll sideways."""
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert operator.page.evaluate(width) <= 0


def pause(operator, target, reason):
    operator.page.select_option("#id_target", target)
    operator.page.locator("#id_reason").fill(reason)
    act(operator, "pause").click()
    confirm(operator)


def note(operator, path):
    """Return what a page says of pauses. Another process of the site may have read them up to a second ago."""
    operator.go(path)
    return " ".join(operator.page.locator(".paused-email").all_inner_texts())


def test_operator_pauses_and_resumes_a_kind(steering):
    reason, address = f"wrong text {uuid4().hex[:8]}", f"paused-{uuid4().hex[:8]}@example.com"
    pause(steering, "kind:welcome", reason)
    fits(steering)
    for path in ("/admin/", "/admin/notifications/message/", "/admin/steering/"):
        steering.until(lambda path=path: reason in note(steering, path))
    steering.running.site_client().sign_up(address)
    eventually(lambda: steering.running.sql(PARKED, address))
    act(steering, "resume").click()
    confirm(steering)
    steering.until(lambda: not note(steering, "/admin/steering/"))
    eventually(lambda: steering.running.statuses({address}) == {"sent"})
    assert steering.running.accepted({address}) == {address: 1}


def test_operator_cancels_what_is_paused(steering):
    domain = f"shop-{uuid4().hex[:8]}.example"
    pause(steering, "kind:welcome", "wrong text")
    addresses = {f"{name}@{domain}" for name in ("ada", "grace")}
    for address in addresses:
        steering.running.site_client().sign_up(address)
    steering.page.locator("#id_domain").fill(domain)
    steering.page.locator("#id_why").fill("wrong text")
    act(steering, "cancel").click()
    expect(steering.page.locator(".confirmation")).to_contain_text("2")
    confirm(steering)
    assert steering.running.statuses(addresses) == {"cancelled"}


def test_operator_opens_and_closes_a_circuit(steering):
    act(steering, "open").click()
    confirm(steering)
    act(steering, "close").click()
    confirm(steering)
    expect(act(steering, "open")).to_have_count(1)
