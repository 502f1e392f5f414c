"""Every kind is rendered in every language, and one error lists what fails."""

from dataclasses import replace

import pytest
from django.conf import global_settings

from accounts import emails
from notifications import kinds
from notifications.testing import UnrenderableKindError, kinds_and_languages, render_every_kind, render_kind


def test_example_of_each_kind(rendered_kind):
    assert rendered_kind.subject
    assert rendered_kind.text
    assert rendered_kind.html


@pytest.mark.django_db
def test_every_kind_of_this_site_is_rendered():
    rendered = render_every_kind()
    assert [(one.kind, one.language) for one in rendered] == kinds_and_languages()
    assert {one.language for one in rendered} == {"en", "de"}


@pytest.mark.django_db
def test_one_error_lists_all_failures(monkeypatch):
    broken = {
        "product-news": replace(emails.PRODUCT_NEWS, preview_context={}),
        "welcome": replace(emails.WELCOME, context=lambda user: {"x": 1 / 0}),
        "no-templates": replace(emails.WELCOME, name="no-templates"),
        "not-storable": replace(emails.WELCOME, name="not-storable", preview_context={"thing": object()}),
    }
    for name, kind in broken.items():
        monkeypatch.setitem(kinds.KINDS, name, kind)
    with pytest.raises(UnrenderableKindError) as failed:
        render_every_kind()
    text = str(failed.value)
    for name in broken:
        assert f"\n{name} in en: " in text
        assert f"\n{name} in de: " in text
    for word in ("preview_context", "ZeroDivisionError", "TemplateDoesNotExist", "BadContextError"):
        assert word in text


@pytest.mark.django_db
def test_without_languages_of_the_project_the_default_one_is_rendered(settings):
    settings.LANGUAGES = global_settings.LANGUAGES
    assert {language for _, language in kinds_and_languages()} == {settings.LANGUAGE_CODE}


def test_unknown_kind_is_named():
    with pytest.raises(kinds.UnknownKindError, match="nothing"):
        render_kind("nothing", "en")
