"""Walk every URL of the site: who may open it, and that opening it changes nothing.

New pages are found automatically. A page with a new kind of argument needs an example in `EXAMPLES`; a page that
visitors may open needs an entry in `PUBLIC`.
"""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_celery_results.models import TaskResult

from accounts import links
from notifications.links import unsubscribe_url
from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression
from notifications.rules.states import Status
from tests.factories import MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

# What anonymous visitors may open: the pages of the product, health probes, webhooks (POST only, signed), and on a
# developer's machine the previews of emails.
PUBLIC = re.compile(
    r"/|/sign-up/|/check-inbox/.*|/confirm/.*|/log-in/|/log-out/|/password-reset/.*|/account/address/[^/]+/[^/]+/"
    r"|/account/deleted/|/unsubscribe/[^/]+/|/email-progress/.*|/language/|/healthz/.*|/webhooks/.*|/dev/emails/.*|/admin/login/|/admin/logout/"
)
# What staff without any permission may open: the empty index, its texts, and the pages of the own account.
OF_ALL_STAFF = re.compile(r"/admin/|/admin/jsi18n/|/admin/logout/|/admin/password_change/.*")
REFUSED = {401, 403, 404, 405}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@pytest.fixture
def rows():
    """Return examples of each argument: a message in each status, and one row of each other model."""
    user = UserFactory(confirmed_at=None, new_email="new@example.com")
    traits = {
        Status.SENDING: {"sending": True},
        Status.UNCERTAIN: {"uncertain": True},
        Status.SENT: {"status": Status.SENT, "sent_at": Now()},
    }
    messages = {status: MessageFactory(user=user, **traits.get(status, {"status": status})) for status in Status}
    DeliveryAttempt.objects.create(message=messages[Status.SENT], number=1, provider="ses", result="accepted")
    event = ProviderEvent.objects.create(provider="ses", event_id="1", payload={}, message=messages[Status.SENT])
    suppression = Suppression.objects.create(address=user.email, reason="hard bounce")
    return {
        "user": user,
        "messages": messages,
        "notifications/providerevent": [event.pk],
        "notifications/suppression": [suppression.pk],
        "notifications/deadletter": [messages[Status.DEAD].pk],
        "notifications/uncertainmessage": [messages[Status.UNCERTAIN].pk],
        "notifications/message": [message.pk for message in messages.values()],
        "accounts/user": [user.pk],
        "auth/group": [Group.objects.create(name="a group").pk],
        "django_celery_results/taskresult": [TaskResult.objects.create(task_id="1", status="SUCCESS").pk],
        "admin/logentry": [1],
    }


def of_model(rows, path):
    # /admin/r/ leads to an object of any model.
    model = "notifications/message" if path.startswith("/admin/r/") else "/".join(path.split("/")[2:4])
    return rows[model][:1] if path.startswith("/admin/r/") else rows[model]


# By the name of an argument: its values on a path.
EXAMPLES = {
    **dict.fromkeys(("object_id", "pk", "id"), of_model),
    "message_id": lambda rows, path: rows["notifications/message"],
    # The task of a single message has the id of the message.
    "task_id": lambda rows, path: [rows["notifications/message"][0], "no-such-task"],
    "content_type_id": lambda rows, path: [ContentType.objects.get_for_model(Message).pk],
    "app_label": lambda rows, path: ["notifications", "accounts"],
    "url": lambda rows, path: ["no-such-page"],
    "provider": lambda rows, path: ["ses"],
    "name": lambda rows, path: ["welcome"],
    "token": lambda rows, path: [unsubscribe_url("ada@example.com").split("/")[-2], "forged"],
}
# Links in emails, which belong to one user.
LINKS = {
    "/confirm/": links.confirmation_path,
    "/password-reset/": links.password_reset_path,
    "/account/address/": links.address_change_path,
}


def routes(resolver=None, before="/") -> Iterator[str]:
    for one in (resolver or get_resolver()).url_patterns:
        route = before + re.sub(r"^\^|\$$|\\Z$", "", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from routes(one, route)
        elif isinstance(one, URLPattern):
            yield route


def filled(route, rows) -> Iterator[str]:
    """Yield the paths of a route, one for each example of its arguments."""
    found = PARAMETER.search(route)
    if found is None:
        yield route
        return
    name = found[1] or found[2]
    if name in {"uid", "uidb64"}:
        yield next(path(rows["user"]) for start, path in LINKS.items() if route.startswith(start))
        return
    for value in EXAMPLES[name](rows, route):
        yield from filled(route[: found.start()] + str(value) + route[found.end() :], rows)


def paths(rows):
    return sorted({path for route in routes() for path in filled(route, rows)})


def logged_in(**fields):
    client = Client()
    client.force_login(UserFactory(confirmed_at=timezone.now(), **fields))
    client.raise_request_exception = False
    return client


def is_refused(client, answer):
    """Return whether a visitor gets nothing: an error, the log-in, or a redirect to one of them."""
    if answer.status_code not in {301, 302}:
        return answer.status_code in REFUSED
    target = answer["Location"]
    return bool(re.match("/admin/login/|/log-in/", target)) or is_refused(client, client.get(target))


def snapshot():
    """Return a digest of each table."""
    with connection.cursor() as cursor:
        each = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(one::text, '|' ORDER BY one::text)) FROM \"{name}\" AS one"  # noqa: S608 - Django's names
            for name in connection.introspection.table_names(cursor)
        )
        cursor.execute(each)
        return dict(cursor.fetchall())


def test_walk_finds_the_pages_of_the_site(rows):
    found = paths(rows)
    message = rows["messages"][Status.QUEUED].pk
    expected = {"/", "/admin/", "/healthz/live", f"/admin/notifications/message/{message}/cancel/"}
    assert expected <= set(found)
    assert len(found) > 100
    assert all("<" not in path and "(" not in path for path in found)


def test_anonymous_visitors_are_refused(rows, client):
    client.raise_request_exception = False
    before = snapshot()
    for path in paths(rows):
        answer = client.get(path)
        if PUBLIC.fullmatch(path):
            assert answer.status_code < 500, path
            continue
        assert is_refused(client, answer), (path, answer.status_code, answer.headers.get("Location"))
    assert snapshot() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_permission_is_refused(rows, method):
    client = logged_in(is_staff=True)
    before = snapshot()
    for path in paths(rows):
        if PUBLIC.fullmatch(path) or path.startswith("/account/") or OF_ALL_STAFF.fullmatch(path):
            continue
        answer = getattr(client, method)(path)
        # Django sends staff to the index if the row does not exist, or to the page with the final slash.
        is_elsewhere = answer.status_code in {301, 302} and answer["Location"] in {"/admin/", f"{path}change/"}
        assert is_elsewhere or is_refused(client, answer), (path, answer.status_code)
        assert str(rows["user"].email) not in answer.content.decode(errors="replace"), path
    assert snapshot() == before


def test_no_get_changes_anything(rows):
    client = logged_in(is_staff=True, is_superuser=True)
    before = snapshot()
    for path in paths(rows):
        answer = client.get(path)
        assert answer.status_code < 500, (path, answer.status_code)
        after = snapshot()
        assert {table for table in after if after[table] != before[table]} == set(), path
