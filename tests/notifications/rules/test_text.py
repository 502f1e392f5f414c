"""Text that looks the same is the same."""

import pytest

from notifications.rules.text import one_form, prose


@pytest.mark.parametrize(
    ("text", "form"), [("a\u00a0b", "a b"), ("\uff41", "a"), ("a\u00ad\u200b\ufeffb", "ab"), ("a\r\nb", "a\r\nb")]
)
def test_one_form(text, form):
    assert one_form(text) == form


def test_prose_keeps_visible_text():
    assert (
        prose("un\u00a0mot\u00ad, \U0001f469\u200d\U0001f4bb e\u0301\ufeff")
        == "un\u00a0mot, \U0001f469\u200d\U0001f4bb \u00e9"
    )
