"""Fixtures of the tests of mail."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import UserFactory


@pytest.fixture
def staff():
    """Logs somebody in who has exactly the permissions asked for."""

    def log_in(*codenames):
        user = UserFactory(is_staff=True)
        user.refresh_from_db()
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        return client

    return log_in
