from datetime import timedelta

import pytest
from django.utils import timezone, translation

from accounts import emails
from tests.factories import UserFactory


@pytest.mark.parametrize(
    ("time", "english", "german"),
    [
        (timedelta(days=3), "3 days", "3 Tage"),
        (timedelta(days=1), "1 day", "1 Tag"),
        (timedelta(hours=36), "36 hours", "36 Stunden"),
        (timedelta(hours=1), "1 hour", "1 Stunde"),
        (timedelta(minutes=90), "90 minutes", "90 Minuten"),
        (timedelta(minutes=1, seconds=59), "1 minute", "1 Minute"),
        (timedelta(seconds=5), "0 minutes", "0 Minuten"),
    ],
)
def test_duration_in_words(time, english, german):
    for language, words in (("en", english), ("de", german)):
        with translation.override(language):
            assert emails.duration_in_words(time) == words


@pytest.mark.django_db
def test_news_go_to_confirmed_subscribers_only():
    UserFactory()
    UserFactory(confirmed_at=timezone.now(), wants_news=False)
    UserFactory(confirmed_at=timezone.now(), is_active=False)
    reader = UserFactory(confirmed_at=timezone.now())
    assert [user.email for user in emails.PRODUCT_NEWS.audience()] == [reader.email]
