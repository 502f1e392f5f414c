"""The dashboard: live with JavaScript, complete without, accessible, and as wide as the screen."""

import os
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from devtools.stack.stack import ADMIN_ADDRESS
from tests.browser.looks import DESKTOP, LOOKS, PHONE, Look
from tests.browser.test_places import findings
from tests.browser.visitor import Visitor
from tests.live.running import eventually

PAGE = "/admin/email/"
# Several times the page's interval.
SOON_MS = 60_000
_BEAT = "INSERT INTO notifications_processheartbeat (name, trouble) VALUES (%s, 'tired') RETURNING name"
_COUNTED = "SELECT 1 FROM notifications_hourlytraffic WHERE sent > 0"


@pytest.fixture
def operator(running, browser, request):
    look, more = getattr(request, "param", (Look(name="operator", viewport=DESKTOP), {}))
    with look.open(browser, **more) as context:
        operator = Visitor(context.new_page(), running, javascript=look.javascript)
        operator.page.set_default_timeout(15_000)
        operator.go("/admin/login/")
        operator.fill_in(username=ADMIN_ADDRESS, password=running.stack.admin_password)
        operator.page.locator("[type=submit]").click()
        yield operator
    assert operator.errors.messages == []


@pytest.fixture
def counted(running):
    """Send an email, and let beat count the hour."""
    running.site_client().sign_up(f"counted-{uuid4().hex[:8]}@example.com")
    eventually(lambda: running.sql("SELECT 1 FROM notifications_deliveryattempt WHERE result = 'accepted'"))
    running.sql("UPDATE notifications_housekeepingjob SET tried_at = NULL WHERE name = 'roll-up' RETURNING 1")
    eventually(lambda: running.sql(_COUNTED))


def process(operator, name):
    return operator.page.locator("[data-part=details] th", has_text=name)


def test_page_changes_without_a_reload(operator):
    operator.go(PAGE)
    page = operator.page
    page.evaluate("window.isTheSamePage = true")
    page.locator("#hours ~ details summary").click()
    link = page.locator("[data-part=now] tbody a").first
    link.focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('[data-part=now] caption'))")
    page.evaluate("scrollTo(0, 50)")
    name = f"main@{uuid4().hex[:8]}"
    operator.running.sql(_BEAT, name)
    expect(process(operator, name)).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("window.isTheSamePage")
    selected = page.evaluate("getSelection().toString()").strip()
    assert selected == page.locator("[data-part=now] caption").first.inner_text().strip()
    assert page.evaluate("scrollY") == 50
    expect(link).to_be_focused()
    expect(page.locator("#hours ~ details")).to_have_attribute("open", "")


def test_page_can_be_paused(operator):
    operator.page.clock.install()
    operator.go(PAGE)
    operator.page.wait_for_load_state("networkidle")
    asked = []
    operator.page.on("request", lambda request: asked.append(request.url))
    operator.page.locator(".live input").uncheck()
    operator.page.clock.run_for(120_000)
    assert asked == []
    with operator.page.expect_request("**/admin/email/now/"):
        operator.page.locator(".live input").check()
        operator.page.clock.run_for(2_000)


def test_page_without_an_answer_says_so_and_recovers(operator):
    operator.go(PAGE)
    notice = operator.page.locator(".live [role=alert]")
    expect(notice).to_be_hidden()
    operator.page.route("**/admin/email/now/", lambda route: route.fulfill(status=503, body=""))
    expect(notice).to_be_visible(timeout=SOON_MS)
    operator.page.unroute("**/admin/email/now/")
    expect(notice).to_be_hidden(timeout=SOON_MS)
    operator.errors.messages.clear()


def test_page_of_an_ended_session_leads_to_the_log_in(operator):
    operator.go(PAGE)
    operator.page.context.clear_cookies()
    operator.page.wait_for_url("**/admin/login/**")


@pytest.mark.parametrize(
    "operator", [(Look(name="plain", viewport=PHONE, javascript=False), {})], indirect=True, ids=["no JavaScript"]
)
def test_page_is_complete_without_javascript(operator, counted):
    operator.go(PAGE)
    expect(operator.page.locator(".live")).to_be_hidden()
    expect(operator.page.locator("#hours ~ .charts svg")).to_have_count(4)
    assert operator.page.locator("#hours ~ .charts .sent rect").count() > 0


@pytest.mark.parametrize(
    "operator", [(Look(name="plain", viewport=DESKTOP), {"bypass_csp": True})], indirect=True, ids=["any look"]
)
def test_page_is_accessible_and_fits_every_screen(operator, counted):
    # Without the content security policy, which would block axe's script.
    found = []
    operator.go(PAGE)
    for look in LOOKS:
        look.apply(operator.page)
        found += [f"{look}: {finding}" for finding in findings(operator.page, "#content-main")]
        if folder := os.environ.get("SCREENSHOTS"):
            operator.page.screenshot(path=f"{folder}/dashboard-{look}.png", full_page=True)
    assert found == []
