"""Messages that share an email are rendered together, and each recipient gets the same as alone."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts import emails
from notifications import kinds
from notifications.delivery.render_batch import batches
from notifications.links import unsubscribe_url
from notifications.models import Message
from notifications.rules.states import Stream
from tests.factories import UserFactory
from tests.notifications.delivery.prepared.rendering import NOON, message, rendered, rendered_alone, templates

TOKEN = re.compile(r"[A-Za-z0-9-]+")


def in_batches(messages):
    """Return the ids of each batch, after checking that each recipient gets the same as alone."""
    found = []
    for batch, members in batches(messages):
        assert len(batch.recipients) == len(members) > 1
        for recipient, member in zip(batch.recipients, members, strict=True):
            assert recipient.message_id == member.id
            assert batch.email_to(recipient) == rendered_alone(member)
            assert all(map(TOKEN.fullmatch, recipient.fields))
            assert recipient.fields.keys() == batch.recipients[0].fields.keys()
        found.append({member.id for member in members})
    ids = [each for group in found for each in group]
    assert len(ids) == len(set(ids))
    return found


def ids(*messages):
    return {each.id for each in messages}


def test_announcement_differs_in_its_unsubscribe_link_only():
    news = emails.PRODUCT_NEWS
    messages = [
        Message(
            kind=news.name,
            stream=news.stream,
            user=UserFactory.build(id=number, email=address, confirmed_at=NOON, name=f"Reader {number}"),
            to_address=address,
            context=news.preview_context,
            created_at=NOON + timedelta(seconds=number),
        )
        for number, address in enumerate(f"person{number}@example.com" for number in range(20))
    ]
    assert in_batches(messages) == [ids(*messages)]
    ((batch, _),) = batches(messages)
    for recipient in batch.recipients:
        # In the HTML and in the text.
        assert set(recipient.fields.values()) == {unsubscribe_url(recipient.to_address)}
        assert recipient.headers["List-Unsubscribe"] == f"<{unsubscribe_url(recipient.to_address)}>"
    assert len(batch.recipients) == len({recipient.to_name for recipient in batch.recipients})


@pytest.mark.parametrize("urls", ["config.urls", "accounts.urls"])
@pytest.mark.parametrize("stream", [Stream.BULK, Stream.DEFAULT])
def test_header_has_the_signed_link_and_none_of_the_context(settings, urls, stream):
    settings.ROOT_URLCONF = urls
    with templates():
        messages = [message(unsubscribe_url="https://shop.example/leave") for _ in range(2)]
        for number, one in enumerate(messages):
            one.stream, one.to_address = stream, f"Person{number}@example.com"
        assert in_batches(messages) == [ids(*messages)]
        ((batch, _),) = batches(messages)
    links = [unsubscribe_url(one.to_address) if stream == Stream.BULK else "" for one in messages]
    found = [recipient.headers.get("List-Unsubscribe", "") for recipient in batch.recipients]
    assert found == [link and f"<{link}>" for link in links]
    assert any(found) is (stream == Stream.BULK and urls == "config.urls")


def test_values_that_differ_become_tokens():
    with templates(subject="Hi {{ name }}", text="{{ name }} {{ site_name }}", html="<p>{{ name }}</p>"):
        messages = [message(name=name, same="x") for name in ("Ada", "<Bob>", "\n")]
        assert in_batches(messages) == [ids(*messages[:2])]
        ((batch, _),) = batches(messages)
    assert "Ada" not in batch.subject + batch.text + batch.html
    assert [sorted(recipient.fields.values()) for recipient in batch.recipients] == [
        ["Ada", "Ada", "Hi Ada"],
        ["&lt;Bob&gt;", "<Bob>", "Hi <Bob>"],
    ]


def test_two_batches_never_have_the_same_tokens():
    with templates(text="{{ name }}"):
        messages = [message(name=name) for name in ("Ada", "Bob")]
        ((first, _),), ((second, _),) = batches(messages), batches(messages)
    assert first.recipients[0].fields.keys().isdisjoint(second.recipients[0].fields)


def test_languages_and_ways_through_the_templates_are_separate():
    with templates(text="{% if name %}Hi {{ name }}{% else %}Hi{% endif %} {{ happened_at }}"):
        named = [message(name=name) for name in ("Ada", "Bob")]
        german = [message(name=name, language="de") for name in ("Ada", "Bob")]
        nameless = [message(name="") for _ in range(2)]
        found = in_batches([named[0], german[0], nameless[0], nameless[1], german[1], named[1]])
    assert sorted(map(sorted, found)) == sorted(map(sorted, [ids(*named), ids(*german), ids(*nameless)]))


@pytest.mark.parametrize("context", [["a", "list"], "text", {"number": "x"}, {}])
def test_message_that_cannot_be_rendered_is_in_no_batch(context):
    with templates(text="{{ number|stringformat:form }}"):
        well = [message(number=number, form="d") for number in range(1, 4)]
        bad = message()
        bad.context = context
        assert in_batches([well[0], bad, *well[1:]]) == [ids(*well)]
        assert isinstance(rendered(bad), str)


def readers(monkeypatch, context):
    """Make a message for each of three users, whose context function is `context`."""
    news = emails.PRODUCT_NEWS
    monkeypatch.setitem(kinds.KINDS, news.name, replace(news, context=context))
    return [
        Message(
            kind=news.name,
            user=UserFactory.build(id=number),
            to_address="a@b.example",
            context=news.preview_context,
            created_at=NOON,
        )
        for number in range(3)
    ]


@pytest.mark.parametrize("error", [LookupError, SystemExit])
def test_user_whose_context_fails_is_in_no_batch(monkeypatch, error):
    def context(user):
        if user.id == 1:
            raise error
        return {"preferences_url": f"/{user.id}"}

    first, _, third = messages = readers(monkeypatch, context)
    assert in_batches(messages) == [ids(first, third)]


def test_outage_of_the_database_is_raised(monkeypatch):
    def context(user):
        raise OperationalError

    with pytest.raises(OperationalError):
        batches(readers(monkeypatch, context))


def test_unknown_kind_and_broken_template_are_in_no_batch():
    with templates(text="{% nonsense %}"):
        assert batches([message(), message()]) == []
        unknown = [Message(kind="unknown", to_address="a@b.example", created_at=NOON, context={}) for _ in range(2)]
        assert batches(unknown) == []


# --- Any templates and any values -------------------------------------------------------------------------------------

NAME = st.sampled_from(["a", "b", "c", "happened_at"])
FILTERS = [
    "upper", "title", "default:'you'", "default:b", "truncatechars:4", "cut:'x'", "add:b", "length", "date:'Y H:i'",
    "urlencode", "yesno:'y,n'", "stringformat:'5s'", "slice:':2'", "default_if_none:'x'", "wordwrap:3", "center:9",
]  # fmt: skip
# Their results are HTML, or depend on the clock, or are of another type.
ODD_FILTERS = [
    "safe",
    "linebreaks",
    "escape",
    "force_escape",
    "escapejs",
    "timesince",
    "first",
    "pluralize",
    "join:','",
]
FILTER = st.one_of(*[st.sampled_from(FILTERS)] * 8, st.sampled_from(ODD_FILTERS))
EXPRESSION = st.one_of(
    NAME, st.builds("{}|{}".format, NAME, FILTER), st.builds("{}|{}|{}".format, NAME, FILTER, FILTER)
)
PRINT = st.builds("{{{{ {} }}}}".format, EXPRESSION)
TEXT = st.sampled_from(["Hi ", " ", "\n", "\n\n\n", "100% ", "%(a)s", "&amp;"])
HTML = st.sampled_from(["<p>", "</p>", "<b title='", "'>", "</b>", "<td>", "<!--", "-->", "<pre>\n", "<br title=", ">"])
TEST = st.one_of(
    EXPRESSION,
    EXPRESSION,
    st.builds("not {}".format, EXPRESSION),
    st.builds("{} and {}".format, EXPRESSION, EXPRESSION),
    st.builds("{} or {}".format, EXPRESSION, EXPRESSION),
    st.builds(
        "{} {} {}".format, EXPRESSION, st.sampled_from(["==", "!=", ">", "in", "is"]), st.sampled_from(["'x'", "1"])
    ),
)


def blocks(inner):
    traced = [
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, TEST, inner, inner),
        st.builds("{{% if {} %}}{}{{% elif {} %}}{}{{% endif %}}".format, TEST, inner, TEST, inner),
        st.builds("{{% for each in many %}}{}{{{{ each }}}}{{% empty %}}{}{{% endfor %}}".format, inner, inner),
        st.builds("{{% with b={} %}}{}{{% endwith %}}".format, EXPRESSION, inner),
        st.builds("{{% firstof {} {} %}}".format, EXPRESSION, EXPRESSION),
        st.builds("{{% for each in 'xy' %}}{{% cycle {} 'z' as a %}}{}{{% endfor %}}".format, EXPRESSION, inner),
        st.builds(
            "{{% blocktranslate with b={} %}}x{{{{ b }}}}{{{{ a }}}}{{% endblocktranslate %}}".format, EXPRESSION
        ),
        st.builds("{}{}".format, inner, inner),
    ]
    others = [
        st.builds("{{% for each in {} %}}{}{{{{ each }}}}{{% endfor %}}".format, EXPRESSION, inner),
        st.builds("{{% firstof {} as c %}}{}".format, EXPRESSION, inner),
        st.builds("{{% blocktranslate asvar c %}}{{{{ a }}}}{{% endblocktranslate %}}{}".format, inner),
        st.builds("{{% filter upper %}}{}{{% endfilter %}}".format, inner),
    ]
    return st.one_of(*traced, *traced, *others)


PLAIN = st.recursive(st.one_of(PRINT, TEXT), blocks, max_leaves=5)
MARKUP = st.recursive(
    st.one_of(PRINT, PRINT, TEXT, HTML, st.builds("<p title='{}'>{}</p>".format, PRINT, PRINT)), blocks, max_leaves=5
)
ORDINARY = st.sampled_from(["Ada", "Bob", "x", "Eve x", 'O\'Neil & "Co"', "<i>x</i>"])
ODD = st.one_of(
    st.sampled_from(["", " ", "a\n\n\nb", None, True, False, 0, 1, 2, 1.5]),
    st.text(max_size=8),
    st.lists(st.sampled_from(["x", "<y>"]), max_size=2),
)
VALUE = st.one_of(*[ORDINARY] * 6, ODD)
CONTEXT = st.fixed_dictionaries(
    {"a": VALUE, "b": VALUE, "c": VALUE, "many": st.sampled_from([[], ["x", "<y>"]])},
    optional={"language": st.just("de")},
)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    subject=PLAIN,
    text=PLAIN,
    html=MARKUP,
    contexts=st.lists(CONTEXT, min_size=1, max_size=3),
    more=st.lists(CONTEXT, max_size=3),
)
def test_every_recipient_gets_the_same_as_alone(subject, text, html, contexts, more):
    messages = [message(**context) for context in [*contexts, *contexts, *more]]
    with templates(subject=subject, text=text, html=html, builtins=["django.templatetags.i18n"]):
        in_batches(messages)
        for each in messages:
            assert rendered(each) == rendered_alone(each)
