"""A prepared email is exactly what rendering each email alone gives."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.template import Context, defaultfilters
from django.template.base import render_value_in_context
from django.test import override_settings
from django.utils import timezone, translation
from django.utils.safestring import SafeData, mark_safe

from notifications import kinds
from notifications.delivery.prepared import cache
from notifications.delivery.prepared.cache import prepared_for
from notifications.delivery.prepared.html import forms_of
from notifications.delivery.prepared.tracing import Trace, UnsupportedUseError, applied_later
from notifications.delivery.render import data_of, site_data
from notifications.models import Message
from tests.factories import UserFactory
from tests.notifications.delivery.prepared.rendering import NOON, message, rendered, rendered_alone, templates

HOSTILE = [
    "Ada", "", " ", "\n\n\n", " Ada ", "<b>&amp;\"'</b>", "a\n\n\n\nb", "\x00", "a\rb", "\x0b", "\x85", "\u2028",
    "a\xa0b", "%(name)s %% %s", "{{ site_name }}{% now 'Y' %}", "--> ]]> </style></title><script>", "😀", "\ud800",
    "x" * 5000, "\u202e", "\u200b", "a\tb", "p{color:blue}", "javascript:1", "http://a.example/?b=c&d=e",
]  # fmt: skip


@pytest.fixture
def count():
    """Count the emails that are prepared for the example."""

    def prepared(*messages):
        datas = [data_of(each, "en", site_data()) for each in messages]
        return sum(email is not None for email in prepared_for("example", datas))

    return prepared


def assert_same(*messages):
    """Assert that each email is the same whether something is prepared or not."""
    for _ in range(2):
        for each in messages:
            assert rendered(each) == rendered_alone(each)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", [kind.name for kind in kinds.with_templates()])
def test_every_kind_is_prepared_and_the_same_for_any_name(kind, language, time_machine):
    # A link shows the second in which it was made.
    time_machine.move_to(NOON, tick=False)
    context = kinds.get(kind).preview_context
    users = [
        UserFactory.build(id=7, name=name, language=language, new_email="n@example.com", confirmed_at=NOON)
        for name in HOSTILE
    ]
    messages = [
        Message(kind=kind, user=user, to_address=user.email, context=context, created_at=NOON) for user in users
    ]
    for each in messages:
        with translation.override(language):
            prepared_for(kind, [data_of(each, language, site_data())])
    (plan,) = cache._plans.values()
    assert plan.prepared
    assert_same(*messages)


@pytest.mark.parametrize(
    ("subject", "text", "html"),
    [
        ("{{ name }}", "{{ name }}", "<p>{{ name }}</p>"),
        (" Hi {{ name }}  you", "a\n\n{{ name }}\n\nb", "<a href='{{ name }}' title=\"{{ name }}\">{{ name }}</a>"),
        ("{% if name %}Hi {{ name }}{% endif %}", "{{ name|title }}", "<p>{{ name|upper|truncatechars:9 }}</p>"),
        ("{{ name|default:'you' }}", "{{ name|cut:'A' }}", "<p title='{{ subject }}'>{{ subject }}</p>"),
        ("{{ name|add:name }}", "{% firstof name 'you' %}", "{% with other=name %}<p>{{ other }}</p>{% endwith %}"),
        ("{{ happened_at|date:'H:i' }}", "{{ happened_at }}", "<p>{{ happened_at|date }}{{ name }}</p>"),
        ("x", "{% for each in '12' %}{% cycle name 'b' %}{% endfor %}", "<title>{{ name }}</title>"),
        ("x", "{% load l10n tz %}{{ happened_at|utc }}", "<p>{{ name|wordcount }} {{ name|length }}</p>"),
        ("x", "x", "<p>{{ name|default:'<b>you</b>' }}</p>"),
        ("x", "x", "<table><tr><td>{{ name }}</td></tr></table><textarea>{{ name }}</textarea>"),
    ],
)
def test_values_that_are_printed_filtered_or_tested_are_prepared(count, subject, text, html):
    with templates(subject=subject, text=text, html=html):
        messages = [message(name=name, created_at=NOON + timedelta(hours=len(name))) for name in HOSTILE]
        assert count(message(name="Ada"), message(name="Bob")) == 2
        assert_same(*messages)


@pytest.mark.parametrize(
    "use",
    [
        "{% if name == 'Bob' %}x{% endif %}",
        "{% if 'B' in name %}x{% endif %}",
        "{% if name|length > 3 %}x{% endif %}",
        "{% if not name != 'Bob' or name < 'B' %}x{% endif %}",
        "{% for each in name %}{{ each }},{% endfor %}",
        "{{ name.0 }}",
        "{{ name.upper }}",
        "{{ name|safe }}",
        "{{ name|linebreaks }}",
        "{{ 'x'|default:name|safe }}",
        "{% include name|add:'.html' %}",
        "{% load i18n %}{% blocktranslate count n=name|length %}1{% plural %}{{ n }}{{ name }}{% endblocktranslate %}",
        "{% load i18n %}{% translate 'May' context name %}",
        "{% load i18n %}{% translate name %}",
        "<!-- {{ name }} -->",
        "<p style='color: {{ name }}'>x</p>",
        "<p class='{{ name }}'>x</p>",
        "<style>{{ name }}</style>",
        "<a rel='{{ name }}'>x</a>",
        "<p {{ name }}>x</p>",
        "<{{ name }}>x</{{ name }}>",
        "<p title={{ name }}>x</p>",
        "<xmp>{{ name }}</xmp>",
    ],
)
def test_values_that_are_used_for_more_have_an_email_for_each(count, use):
    with templates(html=use, css="a[rel] { color: blue }", others={"Bob.html": "Bob", "Ada.html": "Ada", ".html": ""}):
        both = [message(name=name, order=1) for name in ("Ada", "Bob")]
        first, second = (prepared_for("example", [data_of(each, "en", site_data())] * 2)[0] for each in both)
        assert first is None or first is not second
        assert_same(*both, *(message(name=name) for name in HOSTILE))


@pytest.mark.parametrize(
    "use",
    [
        "{% now 'u' %}",
        "{% lorem 3 w random %}",
        "{{ '12345'|make_list|random }}",
        "{{ happened_at|timesince }}",
        "{% if name is 'Bob' %}x{% endif %}",
        "{% if x %}{% elif y or name is not None %}x{% endif %}",
        "{% filter upper %}{{ name }}{% endfilter %}",
        "{% spaceless %}{{ name }} {% endspaceless %}",
        "{% autoescape off %}{{ name }}{% endautoescape %}",
        "{% ifchanged name %}x{% endifchanged %}",
        "{% load i18n %}{% blocktranslate asvar x %}{{ name }}{% endblocktranslate %}{{ x|upper }}",
        "{% firstof name 'you' as x %}{{ x|cut:'j' }}",
        "{% extends 'base.html' %}{% block a %}{{ block.super|cut:'j' }}{% endblock %}",
        "{% url 'accounts:log-in' %}",
    ],
)
def test_templates_that_cannot_be_traced_are_not_prepared(count, use):
    with templates(text=use, others={"base.html": "{% block a %}{{ name }}{% endblock %}"}):
        assert count(message(name="Ada"), message(name="Bob")) == 0
        assert isinstance(rendered(message(name="Ada")), str) is isinstance(rendered_alone(message(name="Ada")), str)


def test_times_are_in_the_active_time_zone(count):
    with templates(text="{{ happened_at|date:'H:i' }}"), timezone.override("Europe/Berlin"):
        both = [message(created_at=NOON + timedelta(hours=hours)) for hours in (0, 1)]
        assert count(*both) == 2
        assert [rendered(each).text for each in both] == ["13:00", "14:00"]


def test_filter_of_a_stand_in_keeps_html():
    start = applied_later(defaultfilters.slice_filter)(Trace({}).stand_in("name"), ":9")
    assert isinstance(start.evaluate({"name": mark_safe("<b>x</b>")}), SafeData)
    assert not isinstance(start.evaluate({"name": "<b>x</b>"}), SafeData)


@pytest.mark.parametrize("place", ["<script>{}</script>", "<style>{}</style>", "<p class='{}'>x</p>", "<!--{}-->"])
def test_places_in_html_that_are_not_text_are_refused(place):
    trace = Trace({"name": "Ada"})
    html = place.format(render_value_in_context(trace.stand_in("name"), Context()))
    with pytest.raises(UnsupportedUseError) as refused:
        forms_of(trace, html, html)
    assert refused.value.names == {"name"}


def test_replaced_tags_and_filters_are_not_prepared(count):
    library = "tests.notifications.delivery.prepared.replacing"
    for options in ({"builtins": [library]}, {"libraries": {"replacing": library}}):
        load = "{% load replacing %}" if "libraries" in options else ""
        for use in ("{% if name %}x{% endif %}", "{{ name|upper }}"):
            with templates(text=f"{load}{use}", **options):
                assert count(message(name="Ada"), message(name="Bob")) == 0
                assert_same(message(name="Ada"))


@pytest.mark.parametrize(
    "values",
    [
        [1, True, "1", 1.0, Decimal(1), Decimal("1.0"), None],
        [0.0, -0.0],
        ["<b>", mark_safe("<b>")],
        [[1], [True], (1,), {"a": 1}, {"a": True}],
        [NOON, NOON.astimezone()],
        [object(), object()],
        [NOON.date, print],
    ],
)
@pytest.mark.parametrize("use", ["{{ value }}", "{% if value == 1 %}x{% endif %}{{ value }}"])
def test_values_that_are_equal_but_print_differently_share_no_email(values, use):
    with templates(text=f"x{use}", html=f"<p>{use}</p>"):
        for _ in range(3):
            for value in values:
                each = message(value=value)
                assert rendered(each) == rendered_alone(each)


def test_value_of_settings_and_language_are_those_of_the_moment():
    with templates(text="{{ site_name }} {{ happened_at }}"):
        for name in ("One", "Two"):
            for language in ("en", "de"):
                with override_settings(SITE_NAME=name):
                    assert_same(message(language=language), message(language=language))


def test_error_of_one_value_is_the_error_of_that_email_alone(count):
    with templates(text="{{ number|stringformat:form }} {{ name }}"):
        well = [message(name="Ada", number=1, form="d"), message(name="Bob", number=2, form="d")]
        assert count(*well) == 2
        assert_same(*well, message(name="Eve", number="x", form="d"), message(name="Eve", number=3))


def test_prepared_email_keeps_no_value_of_its_recipients(count):
    with templates(text="{{ name }}"):
        assert count(message(name="Ada"), message(name="Bob")) == 2
        (plan,) = cache._plans.values()
        (prepared,) = [each for kept in plan.prepared.values() for each in kept]
        assert [value.trace.data for value in prepared.values] == [{}]
        assert "Ada" not in str(plan.prepared)


def test_templates_that_are_never_alike_are_given_up():
    with templates(text="{% now 'Y' %}"):
        for number in range(60):
            data = data_of(message(order={"number": number}), "en", site_data())
            assert prepared_for("example", [data, data]) == [None, None]
        (plan,) = cache._plans.values()
        assert plan.failures == cache.MAX_FAILURES
