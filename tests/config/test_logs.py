import logging
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.tokens import default_token_generator

from accounts.models import User
from accounts.tokens import confirmation_tokens
from config.logs import WithoutTokens, without_tokens
from notifications.links import unsubscribe_url


@pytest.mark.parametrize("tokens", [default_token_generator, confirmation_tokens])
def test_tokens_are_removed(tokens):
    token = tokens.make_token(User(pk=1, email="ada@example.com", password="x"))
    record = logging.LogRecord("django.request", 40, "", 1, "%s: %s", ("Gone", f"/confirm/MQ/{token}/"), None)
    assert WithoutTokens().filter(record)
    assert record.getMessage() == "Gone: /confirm/MQ/[token]/"
    assert token[:-3] not in without_tokens(f"/confirm/MQ/{token[:-3]}/")


@pytest.mark.parametrize("damage", ["", "xyz"])
def test_tokens_of_public_pages_are_removed(damage):
    path = urlsplit(unsubscribe_url("ada@example.com")).path
    assert without_tokens(f"Not Found: {path[:-1]}{damage}/") == "Not Found: /unsubscribe/[token]/"


@pytest.mark.parametrize(
    "text", ["/admin/notifications/message/8ce9f01c-dddd-4773-9de6-30d4dd7b5dac/change/", "/sign-up/", ""]
)
def test_other_paths_are_unchanged(text):
    assert without_tokens(text) == text
