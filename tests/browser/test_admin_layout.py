"""The admin's lists and the page of a message fit their screens, in every look."""

from uuid import uuid4

import pytest

from devtools.stack.stack import ADMIN_ADDRESS
from tests.browser.looks import DESKTOP, LOOKS, Look
from tests.browser.test_admin import open_row, trouble  # noqa: F401 - a fixture
from tests.browser.test_places import findings
from tests.browser.visitor import Visitor

# A usual laptop shows a list beside the menu and the filters.
LISTS = (
    *("notifications/message", "notifications/deadletter", "notifications/uncertainmessage"),
    *("notifications/suppression", "notifications/providerevent"),
    *("accounts/user", "django_celery_results/taskresult"),
)
IMPORTANT = ("to_address", "kind", "status", "outcome", "provider", "created_at", "sent_at", "expires_at")
SCROLLS = "all => all.some(one => one.scrollWidth > one.clientWidth)"


@pytest.fixture
def operator(running, browser):
    # Without the content security policy, which would block axe's script.
    with Look(name="operator", viewport=DESKTOP).open(browser, bypass_csp=True) as context:
        operator = Visitor(context.new_page(), running)
        operator.page.set_default_timeout(15_000)
        operator.go("/admin/login/")
        operator.fill_in(username=ADMIN_ADDRESS, password=running.stack.admin_password)
        operator.page.locator("[type=submit]").click()
        yield operator
    assert operator.errors.messages == []


@pytest.fixture
def sent(operator):
    address = f"a-long-name-of-a-mailbox-{uuid4().hex}@subdomain.of-a-long-organization.example.com"
    operator.running.site_client().sign_up(address)
    operator.until(lambda: operator.running.statuses({address}) == {"sent"})
    return address


@pytest.mark.usefixtures("trouble", "sent")
def test_lists_need_no_horizontal_scrolling_on_a_laptop(operator):
    assert operator.page.viewport_size == DESKTOP
    for name in LISTS:
        operator.go(f"/admin/{name}/")
        assert operator.page.locator("#result_list tbody tr").count(), name
        assert not operator.page.locator("#changelist .results").evaluate_all(SCROLLS), name


def test_details_of_a_message_are_above_its_preview(operator, sent):
    open_row(operator, "message", sent)
    page = operator.page
    for look in LOOKS:
        look.apply(page)
        preview = page.locator(".preview").bounding_box()["y"]
        for name in IMPORTANT:
            field = page.locator(f".facts .field-{name} .readonly")
            box = field.bounding_box()
            assert box["y"] + box["height"] < preview, name
            if look.viewport == DESKTOP:
                # Without scrolling.
                assert box["y"] + box["height"] < DESKTOP["height"], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look


@pytest.mark.timeout(240)
def test_pages_are_accessible_and_fit_every_screen(operator, trouble):  # noqa: F811 - the fixture
    found = []
    for place in places(operator, trouble):
        for look in LOOKS:
            look.apply(operator.page)
            found += [f"{place}, {look}: {finding}" for finding in findings(operator.page, "#content")]
        LOOKS[0].apply(operator.page)
    assert found == []


def places(operator, addresses):
    """Open the pages of operators, one after the other."""
    for name in LISTS[:5]:
        operator.go(f"/admin/{name}/")
        yield name
    for model, address, act in (
        ("message", addresses["bounced"], "resend"),
        ("suppression", addresses["bounced"], "lift"),
        ("deadletter", addresses["dead"], "resend"),
        ("uncertainmessage", addresses["uncertain"], "settle"),
    ):
        open_row(operator, model, address)
        operator.page.wait_for_load_state("load")
        yield f"one {model}"
        operator.page.locator(f".object-tools a[href*='/{act}/']").click()
        operator.page.wait_for_load_state("load")
        yield f"{act} of one {model}"
    for path in ("notifications/message/steering/", "notifications/message/steering/scheduled/"):
        assert operator.go(f"/admin/{path}").ok
        yield path
