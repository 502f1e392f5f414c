import pytest
from django.urls import reverse

from notifications.events import suppress
from notifications.models import ProviderEvent
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["message", "deadletter", "uncertainmessage", "suppression", "providerevent"])
def test_search_of_the_engine_finds_what_was_pasted(admin_client, name):
    user = UserFactory(email="ada@example.com")
    MessageFactory(user=user)
    MessageFactory(user=user, status="dead")
    MessageFactory(user=user, uncertain=True)
    suppress.suppress(user.email, Reason.BY_HAND, "")
    ProviderEvent.objects.create(provider="ses", event_id="1", kind="delivered", recipient=user.email, payload={})
    listed = reverse(f"admin:notifications_{name}_changelist")
    plain = admin_client.get(listed, {"q": "ada@example.com"}).context["cl"].result_count
    pasted = admin_client.get(listed, {"q": "\u200bada@example\u00ad.com\u00a0"}).context["cl"].result_count
    assert pasted == plain > 0
