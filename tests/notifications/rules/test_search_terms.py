"""What an operator types is a search, or an error that names its wrong part."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.rules.search_terms import TERMS, MessageQuery, SearchError, SearchProblem, parse

WORDS = ["ada@example.com", "order-1234", "2d", "dead", "welcome", "2026-11-01", "018f6b3e-7c1c-7a55-8000-0123456789ab"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", {}),
        ("   ", {}),
        ("ada@example.com", {"word": "ada@example.com"}),
        ("Order-1234", {"word": "Order-1234"}),
        ("ada@example.com kind:welcome since:2d", {"word": "ada@example.com", "kind": "welcome", "since": 2}),
        ("since:2d kind:welcome ada@", {"word": "ada@", "kind": "welcome", "since": 2}),
        ("status:dead since:2026-11-01", {"status": "dead", "since": date(2026, 11, 1)}),
        ("since:2026-11-01T08:30", {"since": datetime(2026, 11, 1, 8, 30)}),  # noqa: DTZ001 - on the reader's clock
        ("before:2026-11-01T08:30+00:00", {"before": datetime(2026, 11, 1, 8, 30, tzinfo=UTC)}),
        ("since:36h before:1w", {"since": 1.5, "before": 7}),
        ("since:90m", {"since": 0.0625}),
        ("key:order-1234", {"key": "order-1234"}),
        ("key:order:1234", {"key": "order:1234"}),
        ("to:Ada@Example.com", {"to": "ada@example.com"}),
        ("id:0100018C-abc", {"id": "0100018C-abc"}),
        ("Status:DEAD", {"status": "dead"}),
        ("outcome:bounced provider:ses stream:bulk", {"outcome": "bounced", "provider": "ses", "stream": "bulk"}),
        ("kind: welcome  since: 2d", {"kind": "welcome", "since": 2}),
        ("12:30", {"word": "12:30"}),
    ],
)
def test_text_is_read(text, query):
    days = {term: timedelta(days=value) for term, value in query.items() if isinstance(value, int | float)}
    assert parse(text) == MessageQuery(**query | days)


@pytest.mark.parametrize(
    ("text", "problem", "term", "value"),
    [
        ("knid:welcome", SearchProblem.UNKNOWN_TERM, "knid", "knid:welcome"),
        ("order:1234", SearchProblem.UNKNOWN_TERM, "order", "order:1234"),
        ("kind:", SearchProblem.NO_VALUE, "kind", ""),
        ("ada@ since:", SearchProblem.NO_VALUE, "since", ""),
        ("status:gone", SearchProblem.BAD_VALUE, "status", "gone"),
        ("stream:slow", SearchProblem.BAD_VALUE, "stream", "slow"),
        ("outcome:ok", SearchProblem.BAD_VALUE, "outcome", "ok"),
        ("kind:a/b", SearchProblem.BAD_VALUE, "kind", "a/b"),
        ("kind: status:dead", SearchProblem.BAD_VALUE, "kind", "status:dead"),
        ("since:2", SearchProblem.BAD_VALUE, "since", "2"),
        ("since:2y", SearchProblem.BAD_VALUE, "since", "2y"),
        ("since:99999d", SearchProblem.BAD_VALUE, "since", "99999d"),
        ("since:2026-13-01", SearchProblem.BAD_VALUE, "since", "2026-13-01"),
        ("since:0001-01-01", SearchProblem.BAD_VALUE, "since", "0001-01-01"),
        ("status:dead status:sent", SearchProblem.REPEATED, "status", "sent"),
        ("Ada Lovelace", SearchProblem.SECOND_WORD, "word", "Lovelace"),
    ],
)
def test_error_names_the_wrong_part(text, problem, term, value):
    with pytest.raises(SearchError) as caught:
        parse(text)
    assert (caught.value.problem, caught.value.term, caught.value.value) == (problem, term, value)


@given(st.text() | st.lists(st.tuples(st.sampled_from([*TERMS, "", "x"]), st.sampled_from(WORDS) | st.text())))
def test_any_text_is_a_query_or_an_error(typed):
    text = typed if isinstance(typed, str) else " ".join(f"{term}:{value}" if term else value for term, value in typed)
    query = read(text)
    if isinstance(query, SearchError):
        # A space after a colon is left out.
        assert "".join(query.value.lower().split()) in "".join(text.lower().split())
    else:
        assert query.word == "" or query.word in text


def read(text):
    try:
        return parse(text)
    except SearchError as error:
        return error


@given(st.permutations(["ada@example.com", "kind:welcome", "status:dead", "since:2d", "key:order-1"]))
def test_order_does_not_matter(parts):
    assert parse(" ".join(parts)) == parse("ada@example.com kind:welcome status:dead since:2d key:order-1")
