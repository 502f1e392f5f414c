"""The registry of kinds."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.emails import WELCOME
from notifications import kinds
from notifications.kinds import Kind
from notifications.rules.states import Stream


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))


def test_kinds_of_the_product_and_of_the_engine_are_found():
    assert {"welcome", "product-news", "provider-test"} <= set(kinds.KINDS)


def test_registered_kind_is_found_by_name(registry):
    kind = Kind(name="order-shipped", stream=Stream.DEFAULT, max_age=timedelta(days=3))
    assert kinds.register(kind) is kind
    assert kinds.get("order-shipped") is kind


def test_same_declaration_may_be_registered_twice(registry):
    assert kinds.register(replace(WELCOME)) is WELCOME


def test_another_declaration_of_the_same_name_is_refused(registry):
    with pytest.raises(ImproperlyConfigured):
        kinds.register(replace(WELCOME, max_attempts=1))


def test_unknown_name_is_refused():
    with pytest.raises(kinds.UnknownKindError):
        kinds.get("no-such-kind")
