"""The pages of visitors and users."""

from django.test import Client
from django.urls import reverse

from accounts import links
from accounts.models import User
from tests.plans.work import work

PASSWORD = "a long enough password 1"


def get(browser, name, *args):
    return browser.get(reverse(f"accounts:{name}", args=args), follow=True)


def post(browser, name, *args, **fields):
    return browser.post(reverse(f"accounts:{name}", args=args), fields, follow=True)


@work
def visitor_signs_up_and_waits(bench):
    browser = Client()
    get(browser, "home")
    get(browser, "sign-up")
    post(browser, "sign-up", email="new@example.com", password=PASSWORD, password1=PASSWORD, password2=PASSWORD)
    get(browser, "check-inbox")
    post(browser, "resend")
    get(browser, "correct-address")
    post(browser, "correct-address", email="other@example.com", password=PASSWORD)


@work
def visitor_signs_up_where_there_is_an_account(bench):
    post(Client(), "sign-up", email=bench.person.email, password=PASSWORD, password1=PASSWORD, password2=PASSWORD)


@work
def person_confirms(bench):
    user = User.objects.create_user("fresh@example.com", PASSWORD)
    path = links.confirmation_path(user)
    browser = Client()
    browser.get(path, follow=True)
    browser.post(path, {"password": PASSWORD}, follow=True)
    post(browser, "confirm-again", email="fresh@example.com")


@work
def person_logs_in_and_out(bench):
    User.objects.create_user("ada@example.com", PASSWORD)
    browser = Client()
    post(browser, "log-in", username="Ada@example.com", password="wrong")
    post(browser, "log-in", username="Ada@example.com", password=PASSWORD)
    get(browser, "home")
    post(browser, "log-out")


@work
def person_resets_the_password(bench):
    browser = Client()
    post(browser, "password-reset", email=bench.person.email)
    page = browser.get(links.password_reset_path(bench.person), follow=True)
    browser.post(page.redirect_chain[-1][0], {"new_password1": PASSWORD, "new_password2": PASSWORD}, follow=True)


@work
def person_changes_the_account(bench):
    bench.person.set_password(PASSWORD)
    bench.person.save()
    bench.browser.force_login(bench.person)
    get(bench.browser, "home")
    post(bench.browser, "preferences", language="de", wants_news="on")
    post(bench.browser, "address-change", new_email="newer@example.com", password=PASSWORD, current_password=PASSWORD)
    bench.person.refresh_from_db()
    path = links.address_change_path(bench.person)
    bench.browser.get(path, follow=True)
    bench.browser.post(path, {"password": PASSWORD}, follow=True)
    fields = {"old_password": PASSWORD, "new_password1": PASSWORD + "2", "new_password2": PASSWORD + "2"}
    post(bench.browser, "password-change", **fields)


@work
def person_deletes_the_account(bench):
    bench.person.set_password(PASSWORD)
    bench.person.save()
    bench.browser.force_login(bench.person)
    get(bench.browser, "delete")
    post(bench.browser, "delete", password=PASSWORD, current_password=PASSWORD)
