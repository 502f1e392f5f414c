"""Every page for users, and the way to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from tests.browser.server_side import unsubscribe_path
from tests.browser.visitor import Visitor

Way = Callable[[Visitor], object]


def path(where: str) -> Way:
    return lambda visitor: visitor.go(where)


def rejected_sign_up(visitor: Visitor) -> None:
    visitor.go("/sign-up/")
    visitor.fill_in(email="ada@localhost", name="Ada", password="short")
    visitor.submit()
    visitor.page.get_by_role("alert").wait_for()


def rejected_log_in(visitor: Visitor) -> None:
    visitor.log_in(password="a wrong password")
    visitor.page.get_by_role("alert").wait_for()


def inbox(state: str) -> Way:
    def visit(visitor: Visitor) -> None:
        visitor.go("/check-inbox/")
        visitor.page.locator(f"main [data-progress={state}]").wait_for()

    return visit


def confirm(visitor: Visitor) -> None:
    visitor.open_email("/confirm/")


def used_reset_link(visitor: Visitor) -> None:
    visitor.go("/password-reset/MQ/abc-0123456789abcdef0123456789abcdef/")


def reset_link(visitor: Visitor) -> None:
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.submit()
    visitor.open_email("/password-reset/")


def waiting_for_new_address(visitor: Visitor) -> None:
    visitor.go("/account/address/")
    visitor.fill_in(email=f"new-{visitor.address}", current_password=visitor.password)
    visitor.submit()


def new_address(visitor: Visitor) -> None:
    visitor.open_email("/account/address/", to=f"new-{visitor.address}")


def unknown_host(visitor: Visitor) -> None:
    """Visit a host that is not in ALLOWED_HOSTS: Chromium resolves every name in .localhost to this machine."""
    visitor.go(visitor.site_url.replace("127.0.0.1", "not-ours.localhost"))
    visitor.is_at("400")


def without_cookies(visitor: Visitor) -> None:
    visitor.go("/log-in/")
    visitor.page.context.clear_cookies()
    visitor.fill_in(username="ada@example.com", password="none")
    visitor.submit()
    visitor.is_at("403-csrf")


def too_many_attempts(visitor: Visitor) -> None:
    address = f"often-{uuid4().hex[:8]}@example.com"
    for _ in range(6):
        visitor.go("/password-reset/")
        visitor.fill_in(email=address)
        # Leaving the page before the answer would abort the post.
        with visitor.page.expect_response(lambda response: response.request.method == "POST"):
            visitor.submit()
    visitor.is_at("429")


def bouncing_address(visitor: Visitor) -> None:
    suppress = (
        "INSERT INTO notifications_suppression (address, reason, detail, provider, lift_reason, provider_lift)"
        " VALUES (%s, 'hard bounce', '', '', '', '')"
    )
    visitor.running.sql(suppress, visitor.address)
    visitor.go("/")
    visitor.page.locator("main form[action='/account/address/check/']").wait_for()


def checked_address(visitor: Visitor) -> None:
    visitor.submit("/account/address/check/")
    visitor.sees_notice("address-check-asked")


@contextmanager
def missing_table(visitor: Visitor) -> Iterator[None]:
    """Rename a table, as a release without its migration."""
    visitor.running.sql("ALTER TABLE accounts_user RENAME TO accounts_user_lost")
    try:
        yield
    finally:
        visitor.running.sql("ALTER TABLE accounts_user_lost RENAME TO accounts_user")


def server_error(visitor: Visitor) -> None:
    with missing_table(visitor):
        visitor.log_in(username="ada@example.com")
        visitor.is_at("500")


PUBLIC: dict[str, Way] = {
    "landing": path("/"),
    "sign-up": path("/sign-up/"),
    "sign-up-rejected": rejected_sign_up,
    "log-in": path("/log-in/"),
    "log-in-rejected": rejected_log_in,
    "password-reset": path("/password-reset/"),
    "password-reset-done": path("/password-reset/done/"),
    "password-reset-complete": path("/password-reset/complete/"),
    "password-reset-used": used_reset_link,
    "confirm-again": path("/confirm/again/"),
    "confirm-again-done": path("/confirm/again/done/"),
    "confirm-failed": path("/confirm/MQ/abc-0123456789abcdef0123456789abcdef/"),
    "address-confirm-failed": path("/account/address/MQ/abc-0123456789abcdef0123456789abcdef/"),
    "deleted": path("/account/deleted/"),
    "unsubscribe": lambda visitor: visitor.go(unsubscribe_path(visitor)),
    "unsubscribe-bad-link": path("/unsubscribe/forged/"),
    "unsubscribe-preview": path("/unsubscribe/preview/"),
    "email-progress-expired": path("/email-progress/forged/address/"),
    "400": unknown_host,
    "403-csrf": without_cookies,
    "404": path("/there-is-none/"),
    "429": too_many_attempts,
    "500": server_error,
}
# For a user who has just signed up, in this order.
NEWCOMERS: dict[str, Way] = {
    "inbox-delivered": inbox("delivered"),
    "correct-address": path("/check-inbox/correct/"),
    "confirm": confirm,
}
BOUNCED: dict[str, Way] = {"inbox-refused": inbox("refused")}
MEMBERS: dict[str, Way] = {
    "account": path("/"),
    "password-change": path("/account/password/"),
    "address-change": path("/account/address/"),
    "account-waiting-for-new-address": waiting_for_new_address,
    "address-confirm": new_address,
    "preferences": path("/account/preferences/"),
    "delete": path("/account/delete/"),
    "password-reset-confirm": reset_link,
    "account-bouncing": bouncing_address,
    "account-bouncing-checked": checked_address,
}
