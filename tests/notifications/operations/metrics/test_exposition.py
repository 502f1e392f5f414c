"""Prometheus' text format, character by character."""

import math

import pytest

from notifications.operations.metrics.exposition import Family, Sample, in_digits, render_metrics

FAMILY = {"name": "mailroom_x", "kind": "gauge", "help_text": "What it is."}
HEAD = "# HELP mailroom_x What it is.\n# TYPE mailroom_x gauge\n"


def rendered(*samples):
    return render_metrics([Family(**FAMILY, samples=samples)]).removeprefix(HEAD)


@pytest.mark.parametrize(
    ("sample", "line"),
    [
        (Sample(value=3), "mailroom_x 3\n"),
        (Sample(value=True), "mailroom_x 1\n"),
        (Sample(value=0.25, labels={"a": "b", "c": "d"}), 'mailroom_x{a="b",c="d"} 0.25\n'),
        (Sample(value=1, labels={"a": '"\\\n'}), 'mailroom_x{a="\\"\\\\\\n"} 1\n'),
        (Sample(value=2, labels={"le": "+Inf"}, suffix="_bucket"), 'mailroom_x_bucket{le="+Inf"} 2\n'),
    ],
)
def test_sample(sample, line):
    assert rendered(sample) == line


def test_family_without_samples_has_its_head():
    assert rendered() == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (7200.0, "7200"), (2.5, "2.5"), (1e15, "1000000000000000"), (math.inf, "+Inf")]
)
def test_numbers(value, text):
    assert in_digits(value) == text
