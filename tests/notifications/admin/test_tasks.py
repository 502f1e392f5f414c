"""Celery's results in the admin, and the links between messages, tasks and Flower."""

import json
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_results.models import GroupResult, TaskResult

from notifications.admin.confirmed import message_url
from notifications.admin.task_result import MOST_MESSAGES, task_result_in_words
from notifications.models import DeliveryAttempt
from notifications.rules.states import Status
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:django_celery_results_taskresult_changelist")


def page_of(result):
    return reverse("admin:django_celery_results_taskresult_change", args=[result.pk])


def task_url(task_id):
    return reverse("admin:notifications_message_task", args=[task_id])


def result_of(*messages, **fields):
    arguments = json.dumps([[str(message.id) for message in messages]])
    return TaskResult.objects.create(**{"task_id": str(uuid4()), "task_args": arguments, "status": "SUCCESS", **fields})


@pytest.fixture
def attempted():
    def attempted(message, *tasks):
        for number, task_id in enumerate(tasks, 1):
            DeliveryAttempt.objects.create(
                message=message, number=number, provider="ses", result="transient", task_id=task_id
            )
        return message

    return attempted


@pytest.fixture(autouse=True)
def _flower(settings):
    settings.FLOWER_URL = "https://flower.example.com"


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ('"48 sent, 2 deferred"', "48 sent, 2 deferred"),
        ('{"exc_type": "DeadError", "exc_message": ["ses/MessageRejected"]}', "DeadError: ses/MessageRejected"),
        ('{"exc_type": "RecordLostError"}', "RecordLostError: "),
        ('{"pid": 7}', '{"pid": 7}'),
        ("null", "-"),
        (None, "-"),
        ("not json", "not json"),
    ],
)
def test_result_is_shown_in_words(stored, words):
    assert task_result_in_words(stored) == words


def test_results_are_read_only(admin_client):
    result = result_of(MessageFactory())
    listed, page = (admin_client.get(url).content.decode() for url in (LIST, page_of(result)))
    assert reverse("admin:django_celery_results_taskresult_add") not in listed
    assert 'name="action"' not in listed
    assert 'name="_save"' not in page
    assert "deletelink" not in page
    for name in ("add", "delete"):
        url = reverse(f"admin:django_celery_results_taskresult_{name}", args=[result.pk] if name == "delete" else [])
        assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert admin_client.post(page_of(result), {"status": "FAILURE"}).status_code == 403
    assert TaskResult.objects.get().status == "SUCCESS"
    assert GroupResult not in admin.site._registry


def test_result_lists_its_messages(admin_client):
    messages = [MessageFactory(status=Status.CANCELLED), MessageFactory(status=Status.DEAD)]
    page = admin_client.get(page_of(result_of(*messages))).content.decode()
    for message in messages:
        assert f'href="{message_url(message.id)}"' in page
        assert f"{message.kind}: {message.get_status_display()}" in page


def test_messages_of_a_result_need_the_permission_to_view_them(staff):
    message = MessageFactory()
    result = result_of(message)
    for codenames, is_shown in ((["view_taskresult"], False), (["view_taskresult", "view_message"], True)):
        page = staff(*codenames).get(page_of(result)).content.decode()
        assert (message_url(message.id) in page) is is_shown


def test_result_of_an_earlier_release_lists_its_single_message(admin_client):
    message = MessageFactory()
    result = result_of(task_id=str(message.id), task_args=json.dumps(str(message.id)))
    assert message_url(message.id) in admin_client.get(page_of(result)).content.decode()


@pytest.mark.parametrize("arguments", [None, "", "not json", '"50 messages, bulk"', "[]", "[[1, null]]", '{"a": 1}'])
def test_result_of_any_task_has_a_page(admin_client, arguments):
    assert admin_client.get(page_of(result_of(task_id="of-another-app", task_args=arguments))).status_code == 200


def test_large_group_is_listed_in_part(admin_client):
    messages = MessageFactory.create_batch(3)
    strangers = [MessageFactory.build(user=None, to_address="a@example.com") for _ in range(MOST_MESSAGES)]
    with CaptureQueriesContext(connection) as statements:
        page = admin_client.get(page_of(result_of(*messages, *strangers))).content.decode()
    assert "and 3 more" in page
    assert len(statements) <= 10


def test_message_links_to_the_tasks_that_tried_it_the_newest_first(admin_client, attempted):
    first, second = str(uuid4()), str(uuid4())
    message = attempted(MessageFactory(), first, second, second)
    page = admin_client.get(message_url(message.id)).content.decode()
    links = [f'href="https://flower.example.com/task/{task}"' for task in (second, first)]
    assert [page.count(link) for link in links] == [1, 1]
    assert page.index(links[0]) < page.index(links[1])
    assert f"/task/{message.id}" not in page


def test_message_without_an_attempt_links_to_its_own_task_if_there_was_one(admin_client):
    alone, grouped = MessageFactory(status=Status.CANCELLED), MessageFactory(status=Status.CANCELLED)
    result_of(alone, task_id=str(alone.id))
    assert f"https://flower.example.com/task/{alone.id}" in admin_client.get(message_url(alone.id)).content.decode()
    assert "flower.example.com" not in admin_client.get(message_url(grouped.id)).content.decode()


def test_attempts_find_their_results_with_one_query(admin_client, attempted):
    results = [result_of() for _ in range(5)]
    message = attempted(MessageFactory(), *(result.task_id for result in results))
    with CaptureQueriesContext(connection) as statements:
        page = admin_client.get(message_url(message.id)).content.decode()
    assert all(page_of(result) in page for result in results)
    assert len([each for each in statements if "django_celery_results_taskresult" in each["sql"]]) == 1


def test_task_in_flower_leads_to_its_message_or_to_the_result_of_its_group(admin_client):
    message, group = MessageFactory(), result_of(MessageFactory(), MessageFactory())
    assert admin_client.get(task_url(message.id))["Location"] == message_url(message.id)
    assert admin_client.get(task_url(group.task_id))["Location"] == page_of(group)
    for unknown in (uuid4(), "celery@here"):
        assert admin_client.get(task_url(unknown)).status_code == 404


def test_link_of_a_task_needs_the_permission_and_changes_nothing(admin_client, staff):
    message = MessageFactory()
    assert staff("view_user").get(task_url(message.id)).status_code == 403
    assert staff("view_message").get(task_url(message.id)).status_code == 302
    assert admin_client.post(task_url(message.id)).status_code == 405
