from devtools.benchmarks.throughput.field import BATCH, CHUNK, TASK
from devtools.benchmarks.throughput.figures import Figures
from devtools.benchmarks.throughput.scaling import costs

CPU = {"workers": 2.0, "relay": 0.1, "postgres": 0.5, "valkey": 0.02}
WORK = {"commits": 3.0, "updates": 4.0, "hot_updates": 1.0, "wal_bytes": 2048.0, "commands": 5.0, "requests": 1.0}


def figures(name, **other):
    return Figures(**({"name": name, "delay_ms": 0, "emails_per_s": 400.0, "cpu_ms": CPU, "per_email": WORK} | other))


def numbers(text):
    return [[cell for cell in line.split("  ") if cell][1:] for line in text.splitlines()[1:]]


def test_each_way_that_was_measured_has_a_column():
    runs = [figures(TASK), figures(CHUNK, delay_ms=100), figures(BATCH, problems=["x"]), figures("bullmq x50")]
    assert {len(cells) for cells in numbers(costs(runs))} == {1}


def test_a_core_carries_what_its_cpu_time_allows():
    cells = [float(cells[0].replace(",", "")) for cells in numbers(costs([figures(TASK)]))]
    assert {500.0, 2000.0, 10_000.0, 50_000.0, 25.0} <= set(cells)


def test_without_a_way_there_is_no_table():
    assert costs([figures("bullmq x50")]) == ""
