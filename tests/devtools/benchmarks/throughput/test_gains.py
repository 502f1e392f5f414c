from devtools.benchmarks.throughput.field import TASK
from devtools.benchmarks.throughput.figures import Figures
from devtools.benchmarks.throughput.gains import GAINS, PROBED, gains


def task(**other):
    work = {"updates": 4.0, "hot_updates": 3.0}
    return Figures(name=TASK, delay_ms=0, emails_per_s=200.0, cpu_ms={"workers": 4.5}, per_email=work, **other)


def last_cells(text):
    return [line.split()[-1] for line in text.splitlines()[1:]]


def test_each_figure_has_a_line():
    assert len(last_cells(gains([], {}))) == len(GAINS) + len(PROBED)


def test_what_was_not_measured_is_not_guessed():
    assert set(last_cells(gains([task(problems=["x"])], {}))) == {"n/a"}


def test_figures_of_this_run():
    assert {"4.5", "25.0", "2.9"} <= set(last_cells(gains([task()], {"idle_cpu_percent": 2.9})))
