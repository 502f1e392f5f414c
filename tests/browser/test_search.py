"""An operator searches for messages as support is asked for them."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.live.running import eventually

FIELD = "#searchbar"
ROWS = "#result_list tbody tr"


def search(operator, text):
    operator.page.locator(FIELD).fill(text)
    operator.page.locator(FIELD).press("Enter")
    operator.page.wait_for_load_state("load")


def test_operator_finds_a_message_and_sees_what_is_wrong_with_a_search(operator):
    operator.running.site_client().sign_up(operator.address)
    eventually(lambda: operator.running.statuses({operator.address}) == {"sent"})
    operator.go("/admin/notifications/message/")
    search(operator, f"{operator.address} kind:welcome since:2d")
    expect(operator.page.locator(ROWS)).to_have_count(1)
    operator.sees(operator.address)
    search(operator, f"{operator.address} knid:welcome")
    expect(operator.page.locator(".messagelist .error")).to_be_visible()
    expect(operator.page.locator(ROWS)).to_have_count(0)
    expect(operator.page.locator(FIELD)).to_have_value(f"{operator.address} knid:welcome")
    search(operator, f"to:{operator.address} status:dead")
    expect(operator.page.locator(ROWS)).to_have_count(0)
    search(operator, f"to:{operator.address} status:sent")
    operator.page.locator("#changelist-filter a[href*='kind=welcome']").click()
    operator.page.wait_for_load_state("load")
    assert parse_qs(urlsplit(operator.page.url).query)["q"] == [f"to:{operator.address} status:sent"]
    operator.page.locator(f"{ROWS} a").first.click()
    expect(operator.page.locator("#content")).to_contain_text(operator.address)
