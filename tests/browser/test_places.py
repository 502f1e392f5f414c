"""Every page of people's, in every look: readable by everybody, as wide as the screen, and nothing blocked."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.looks import DESKTOP, LOOKS, Look
from tests.browser.places import MEMBERS, NEWCOMERS, REFUSED, STRANGERS
from tests.browser.visitor import Visitor

GRAVE = {"serious", "critical"}
PLAIN = Look(name="plain", viewport=DESKTOP)


@contextmanager
def somebody(running, browser, look, **more):
    with look.open(browser, **more) as context:
        visitor = Visitor(context.new_page(), running)
        visitor.page.set_default_timeout(15_000)
        yield visitor


def everywhere(running, browser, look, **more):
    """Go to every page, and yield its name and who is there."""
    with somebody(running, browser, look, **more) as stranger:
        yield from go(stranger, STRANGERS)
    with somebody(running, browser, look, **more) as refused:
        refused.sign_up(f"bounce-{uuid4().hex[:8]}@example.com")
        yield from go(refused, REFUSED)
    with somebody(running, browser, look, **more) as newcomer:
        newcomer.sign_up()
        yield from go(newcomer, NEWCOMERS)
        link = newcomer.page.url
        newcomer.submit()
        newcomer.is_told("address-confirmed")
        newcomer.go(link)
        newcomer.is_at("confirmed")
        yield "confirmed", newcomer
        yield from go(newcomer, MEMBERS)


def go(visitor, places):
    for name, way in places.items():
        way(visitor)
        yield name, visitor


@pytest.mark.timeout(240)
def test_page_is_for_everybody(running, browser):
    """No serious finding of axe's, and nothing to scroll sideways, in every look.

    The policy is out of force here, because axe is itself a script from elsewhere.
    """
    found = []
    for name, visitor in everywhere(running, browser, PLAIN, bypass_csp=True):
        for look in LOOKS:
            look.put_on(visitor.page)
            found += [f"{name}, {look}: {finding}" for finding in findings(visitor.page)]
        PLAIN.put_on(visitor.page)
    assert found == []


def findings(page):
    for one in Axe().run(page).response["violations"]:
        if one["impact"] in GRAVE:
            yield f"{one['id']}: {[node['html'] for node in one['nodes']]}"
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield "it is wider than the screen"


@pytest.mark.timeout(240)
def test_no_page_asks_for_what_the_policy_forbids(running, browser):
    said = []
    for name, visitor in everywhere(running, browser, PLAIN):
        visitor.page.wait_for_load_state("load")
        said += [(name, complaint) for complaint in visitor.complaints.said]
        visitor.complaints.said.clear()
    assert said == []


def test_page_whose_address_is_a_secret_tells_nobody(running, browser):
    """Not even our own files and pages: the Referer of a request ends in logs."""
    with somebody(running, browser, PLAIN) as visitor:
        visitor.sign_up()
        link = visitor.link_in_mail("/confirm/")
        requests = []
        visitor.page.on("request", lambda request: requests.append(request))  # noqa: PLW0108 - it wants attributes
        visitor.go(link)
        visitor.submit()
        visitor.is_told("address-confirmed")
        visitor.follow("/account/preferences/")
        visitor.is_at("preferences")
        token = link.rstrip("/").rpartition("/")[2]
        referrers = [request.all_headers().get("referer", "") for request in requests]
        assert any(referrers)
        assert not [one for one in referrers if token in one]


def test_page_with_a_secret_gives_it_to_no_other_site(running, browser):
    with somebody(running, browser, PLAIN) as visitor:
        visitor.sign_up()
        visitor.go(visitor.link_in_mail("/confirm/"))
        # What a link to another site would be followed with; that site is another port, since nothing else is near.
        with visitor.page.expect_request(f"{running.stack.simulator_url}/**") as asked:
            visitor.page.evaluate("address => { location.href = address }", f"{running.stack.simulator_url}/healthz")
        assert "/confirm/" not in asked.value.all_headers().get("referer", "")
