"""Every page of people's, and how somebody comes to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

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
    visitor.log_in(password="not mine at all")
    visitor.page.get_by_role("alert").wait_for()


def inbox(state: str) -> Way:
    def come(visitor: Visitor) -> None:
        visitor.go("/check-inbox/")
        visitor.page.locator(f"main [data-progress={state}]").wait_for()

    return come


def confirm(visitor: Visitor) -> None:
    visitor.open_mail("/confirm/")


def used_reset_link(visitor: Visitor) -> None:
    visitor.go("/password-reset/MQ/abc-0123456789abcdef0123456789abcdef/")


def reset_link(visitor: Visitor) -> None:
    visitor.go("/password-reset/")
    visitor.fill_in(email=visitor.address)
    visitor.submit()
    visitor.open_mail("/password-reset/")


def waiting_for_new_address(visitor: Visitor) -> None:
    visitor.go("/account/address/")
    visitor.fill_in(email=f"new-{visitor.address}", current_password=visitor.password)
    visitor.submit()


def new_address(visitor: Visitor) -> None:
    visitor.open_mail("/account/address/", to=f"new-{visitor.address}")


def under_another_name(visitor: Visitor) -> None:
    """Chromium knows that every name that ends in .localhost is this machine; the site does not answer to it."""
    visitor.go(visitor.site_url.replace("127.0.0.1", "not-ours.localhost"))
    visitor.is_at("400")


def without_cookies(visitor: Visitor) -> None:
    visitor.go("/log-in/")
    visitor.page.context.clear_cookies()
    visitor.fill_in(username="ada@example.com", password="none")
    visitor.submit()
    visitor.is_at("403-csrf")


def too_often(visitor: Visitor) -> None:
    address = f"often-{uuid4().hex[:8]}@example.com"
    for _ in range(6):
        visitor.go("/password-reset/")
        visitor.fill_in(email=address)
        # Who goes on before the answer takes the post back.
        with visitor.page.expect_response(lambda response: response.request.method == "POST"):
            visitor.submit()
    visitor.is_at("429")


@contextmanager
def table_lost(visitor: Visitor) -> Iterator[None]:
    """A mistake of ours: a release that came before its migration."""
    visitor.running.sql("ALTER TABLE accounts_user RENAME TO accounts_user_lost")
    try:
        yield
    finally:
        visitor.running.sql("ALTER TABLE accounts_user_lost RENAME TO accounts_user")


def mistake_of_ours(visitor: Visitor) -> None:
    with table_lost(visitor):
        visitor.log_in(username="ada@example.com")
        visitor.is_at("500")


STRANGERS: dict[str, Way] = {
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
    "400": under_another_name,
    "403-csrf": without_cookies,
    "404": path("/there-is-none/"),
    "429": too_often,
    "500": mistake_of_ours,
}
# Of somebody who has just signed up, in this order.
NEWCOMERS: dict[str, Way] = {
    "inbox-delivered": inbox("delivered"),
    "correct-address": path("/check-inbox/correct/"),
    "confirm": confirm,
}
REFUSED: dict[str, Way] = {"inbox-refused": inbox("refused")}
MEMBERS: dict[str, Way] = {
    "account": path("/"),
    "password-change": path("/account/password/"),
    "address-change": path("/account/address/"),
    "account-waiting-for-new-address": waiting_for_new_address,
    "address-confirm": new_address,
    "preferences": path("/account/preferences/"),
    "delete": path("/account/delete/"),
    "password-reset-confirm": reset_link,
}
