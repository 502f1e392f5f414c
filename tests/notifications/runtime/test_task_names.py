import pytest

from notifications.runtime.task_names import task_name, without_count


@pytest.mark.parametrize(
    ("kinds", "name", "uncounted"),
    [
        (["welcome"], "welcome", "welcome"),
        (["product-news"] * 50, "product-news \N{MULTIPLICATION SIGN}50", "product-news"),
        (["a", "b", "a", "c"], "3 kinds \N{MULTIPLICATION SIGN}4", "3 kinds"),
    ],
)
def test_name_says_which_kinds_and_how_many(kinds, name, uncounted):
    assert (task_name(kinds), without_count(name)) == (name, uncounted)


def test_name_of_another_task_has_no_count():
    assert without_count("shop.tasks.reindex") == "shop.tasks.reindex"
