from devtools.benchmarks.throughput.field import BATCH, CHUNK, SINGLE, TASK
from devtools.benchmarks.throughput.figures import Figures
from devtools.benchmarks.throughput.report import (
    END,
    START,
    chart,
    last_line,
    probes_table,
    section,
    table,
    with_section,
)

# Programs read these; new ones come after them.
FIELDS = [
    *("single_vs_post_office", "single_vs_celery", "single_vs_bullmq", "bulk_vs_bullmq", "cpu_ms_single"),
    *("cpu_ms_chunk", "latency100_vs_bullmq", "critical_p99_ms", "signup_p50_ms", "signup_vs_inline", "growth_1m"),
]


def figures(name, rate, delay_ms=0, cpu_ms=2.5, **other):
    return Figures(name=name, delay_ms=delay_ms, count=10, emails_per_s=rate, cpu_ms={"workers": cpu_ms}, **other)


RUNS = [
    figures(SINGLE, 300.0),
    figures(TASK, 200.0, cpu_ms=4.0),
    figures(CHUNK, 600.0),
    figures(BATCH, 4800.0),
    figures("celery x10", 50.0),
    figures("celery x10 persistent", 75.0),
    figures("celery-email x10", 100.0),
    figures("post_office 1x5", 100.0),
    figures("post_office 2x5", 150.0),
    figures("post_office 2x5, no rendering", 900.0),
    figures("bullmq x50", 1200.0),
    figures("bullmq x50", 400.0, delay_ms=100),
    figures(f"{SINGLE} x50", 200.0, delay_ms=100),
]


def fields(line):
    return dict(field.split("=") for field in line.removeprefix("bench: ").split())


def test_last_line_has_all_fields_in_order():
    assert list(fields(last_line([], {})))[: len(FIELDS)] == FIELDS


def test_what_was_not_measured_is_not_guessed():
    assert set(fields(last_line([], {})).values()) == {"n/a"}


def test_ratios_are_to_the_best_setting_that_renders():
    found = fields(last_line(RUNS, {"signup_p50_ms": 41.0}))
    assert found["single_vs_post_office"] == "2.00"
    assert found["bulk_vs_bullmq"] == "4.00"
    assert found["single_vs_celery"] == "4.00"
    assert found["single_vs_naive_celery"] == "6.00"
    assert found["single_vs_bullmq"] == "0.25"
    assert found["latency100_vs_bullmq"] == "0.50"
    assert found["signup_p50_ms"] == "41.00"
    assert found["growth_1m"] == "n/a"


def test_cpu_of_a_single_message_is_that_of_one_with_a_task():
    assert fields(last_line(RUNS, {}))["cpu_ms_single"] == "4.00"


def test_a_failed_run_makes_no_ratio():
    runs = [figures(SINGLE, 300.0, problems=["x"]), figures("bullmq x50", 100.0)]
    assert fields(last_line(runs, {}))["single_vs_bullmq"] == "n/a"


def test_table_has_each_contestant_fastest_first():
    text = table(RUNS)
    assert text.index("bullmq x50") < text.index(CHUNK) < text.index("post_office 1x5")
    assert all(text.count(f"  {name} ") >= 1 for name in (SINGLE, CHUNK))


def test_longest_bar_belongs_to_the_fastest():
    bars = {line.split(" █")[0].strip(): line.count("█") for line in chart(RUNS).splitlines() if "█" in line}
    assert max(bars, key=bars.get) == BATCH


def test_probes_have_a_line_each():
    assert probes_table({"growth_1m": 0.95, "history_10m": None}).split() == ["growth_1m", "0.95", "history_10m", "n/a"]


def test_only_the_section_of_a_page_is_replaced():
    once = with_section(f"# Page\n\n{START}\nold\n{END}\n\nthe rest\n", section("new"))
    assert "old" not in once
    assert once.startswith("# Page\n")
    assert once.endswith(f"{END}\n\nthe rest\n")
    assert with_section(once, section("new")) == once


def test_a_page_without_the_section_gets_one():
    assert with_section("# Page\n", section("new")).count(START) == 1
