import pytest

from notifications.providers.base.django_versions import IS_MODERN

ADDRESSES = ["ada@example.com", "bob@example.com"]


@pytest.fixture
def outbox(settings):
    settings.EMAIL_BACKEND = "notifications.backend.OutboxBackend"
    settings.ADMINS = settings.MANAGERS = ADDRESSES if IS_MODERN else [("Name", one) for one in ADDRESSES]
