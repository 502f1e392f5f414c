"""Every page is accessible, fits the screen and violates no content security policy."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe

from tests.browser.looks import DESKTOP, LOOKS, Look
from tests.browser.places import BOUNCED, MEMBERS, NEWCOMERS, PUBLIC
from tests.browser.visitor import Visitor

SERIOUS = {"serious", "critical"}
PLAIN = Look(name="plain", viewport=DESKTOP)


@contextmanager
def person(running, browser, look, **more):
    with look.open(browser, **more) as context:
        visitor = Visitor(context.new_page(), running)
        visitor.page.set_default_timeout(15_000)
        yield visitor


def everywhere(running, browser, look, **more):
    """Visit every page; yield its name and the visitor."""
    with person(running, browser, look, **more) as visitor:
        yield from go(visitor, PUBLIC)
    with person(running, browser, look, **more) as refused:
        refused.sign_up(f"bounce-{uuid4().hex[:8]}@example.com")
        yield from go(refused, BOUNCED)
    with person(running, browser, look, **more) as newcomer:
        newcomer.sign_up()
        yield from go(newcomer, NEWCOMERS)
        link = newcomer.page.url
        newcomer.submit()
        newcomer.sees_notice("address-confirmed")
        newcomer.go(link)
        newcomer.is_at("confirmed")
        yield "confirmed", newcomer
        yield from go(newcomer, MEMBERS)


def go(visitor, places):
    for name, way in places.items():
        way(visitor)
        yield name, visitor


@pytest.mark.timeout(240)
def test_page_is_accessible_and_fits_every_screen(running, browser):
    # Without the content security policy, which would block axe's script.
    found = []
    for name, visitor in everywhere(running, browser, PLAIN, bypass_csp=True):
        for look in LOOKS:
            look.apply(visitor.page)
            found += [f"{name}, {look}: {finding}" for finding in findings(visitor.page)]
        PLAIN.apply(visitor.page)
    assert found == []


def findings(page, within=None):
    # The preview of an email is in a sandbox, to which axe cannot talk.
    for violation in Axe().run(page, within, {**DEFAULT_OPTIONS, "iframes": False}).response["violations"]:
        if violation["impact"] in SERIOUS:
            yield f"{violation['id']}: {[node['html'] for node in violation['nodes']]}"
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield "wider than the screen"


@pytest.mark.timeout(240)
def test_no_page_violates_the_content_security_policy(running, browser):
    found = []
    for name, visitor in everywhere(running, browser, PLAIN):
        visitor.page.wait_for_load_state("load")
        found += [(name, message) for message in visitor.errors.messages]
        visitor.errors.messages.clear()
    assert found == []


def test_secret_address_is_not_sent_as_referer(running, browser):
    # Not even to this site: the Referer header is logged.
    with person(running, browser, PLAIN) as visitor:
        visitor.sign_up()
        link = visitor.link_in_email("/confirm/")
        requests = []
        visitor.page.on("request", lambda request: requests.append(request))  # noqa: PLW0108 - Playwright sets attributes on it
        visitor.go(link)
        visitor.submit()
        visitor.sees_notice("address-confirmed")
        visitor.follow("/account/preferences/")
        visitor.is_at("preferences")
        token = link.rstrip("/").rpartition("/")[2]
        referrers = [request.all_headers().get("referer", "") for request in requests]
        assert any(referrers)
        assert not [referrer for referrer in referrers if token in referrer]


def test_secret_address_is_not_sent_to_another_site(running, browser):
    with person(running, browser, PLAIN) as visitor:
        visitor.sign_up()
        visitor.go(visitor.link_in_email("/confirm/"))
        # Follows a link to another origin: another port.
        with visitor.page.expect_request(f"{running.stack.simulator_url}/**") as asked:
            visitor.page.evaluate("address => { location.href = address }", f"{running.stack.simulator_url}/healthz")
        assert "/confirm/" not in asked.value.all_headers().get("referer", "")
