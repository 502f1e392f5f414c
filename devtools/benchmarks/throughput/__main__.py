"""Run the benchmark: every contestant on the same servers, one after another, in rounds of rotated order; then probes.

Writes `.local/bench/results.json`. Ends with 1 if a run failed or the double found something wrong.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from config.environment import BASE_DIR
from devtools.benchmarks.throughput import environment, provider
from devtools.benchmarks.throughput.contestant import Contestant
from devtools.benchmarks.throughput.field import contestants
from devtools.benchmarks.throughput.figures import Figures, is_slowed_by_double, medians, rotated
from devtools.benchmarks.throughput.gains import gains
from devtools.benchmarks.throughput.line_process import ProcessFailedError
from devtools.benchmarks.throughput.measure import measure
from devtools.benchmarks.throughput.options import Options, options
from devtools.benchmarks.throughput.probes import critical, growth, stack
from devtools.benchmarks.throughput.provider import Provider
from devtools.benchmarks.throughput.report import chart, last_line, probes_table, section, table, with_section
from devtools.benchmarks.throughput.scaling import costs
from devtools.benchmarks.throughput.servers import Place
from devtools.stack.console import say
from devtools.stack.interruption import interrupt_once
from devtools.stack.server import ServerError

# Every run of every start, so that an interrupted benchmark keeps what it has measured.
RUNS = "runs.jsonl"
DOCS = BASE_DIR / "docs"
Probe = Callable[[], Mapping[str, float | None]]


def main(arguments: Sequence[str]) -> int:
    chosen = options(arguments)
    interrupt_once()
    environment.FOLDER.mkdir(parents=True, exist_ok=True)
    place = Place(environment.FOLDER / "servers")
    try:
        found = contestants()
        with provider.running(environment.FOLDER) as double:
            return run(chosen, found, place, double)
    except (environment.InstallError, ServerError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        place.destroy()


def run(chosen: Options, found: Sequence[Contestant], place: Place, double: Provider) -> int:
    capacity = double.capacity()
    say(f"The provider double answers {capacity:.0f} requests/s.")
    runs = list(all_runs(chosen, found, place, double))
    whole = [medians(group) for group in grouped(runs)]
    measured, failed = all_probes(chosen, place, double)
    scale = f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, median of {chosen.rounds} rounds"
    document = {
        "scale": scale,
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
        "versions": environment.versions(),
        "double_requests_per_s": capacity,
        "medians": [asdict(each) for each in whole],
        "runs": [asdict(each) for each in runs],
        "probes": measured,
    }
    (environment.FOLDER / "results.json").write_text(json.dumps(document, indent=1))
    if whole:
        say(table(whole))
        if is_slowed_by_double(whole, capacity):
            say(f"A contestant makes more than half of the calls that the double answers ({capacity:.0f}/s).")
    line = last_line(whole, measured)
    if whole:
        say(f"\n{costs(whole)}")
        write_pages(chosen, scale, whole, measured)
    say(line)
    return int(failed or any(each.problems for each in runs))


def all_runs(chosen: Options, found: Sequence[Contestant], place: Place, double: Provider) -> Iterator[Figures]:
    by_name = {contestant.name: contestant for contestant in found}
    for number in range(chosen.rounds):
        wanted = [one for one in found if chosen.wants_in_round(one.name, number, is_main=one.is_main)]
        for delay_ms in chosen.delays_ms:
            names = [contestant.name for contestant in wanted if delay_ms in contestant.delays_ms]
            for name in rotated(names, number, chosen.rounds):
                yield one_run(by_name[name], place, double, delay_ms, chosen.count)


def one_run(contestant: Contestant, place: Place, double: Provider, delay_ms: int, count: int) -> Figures:
    began = time.monotonic()
    try:
        figures = measure(contestant, place, double, delay_ms, count)
    except (ProcessFailedError, ServerError) as error:
        say(f"{contestant.name} at {delay_ms} ms failed: {error}")
        return Figures(name=contestant.name, delay_ms=delay_ms, problems=[str(error).splitlines()[0]])
    with (environment.FOLDER / RUNS).open("a") as file:
        file.write(json.dumps({"at": time.time(), **asdict(figures)}) + "\n")
    rate = f"{figures.emails_per_s:.0f} emails/s, {figures.all_cpu_ms:.2f} CPU ms"
    say(f"{contestant.name} at {delay_ms} ms: {rate}; the run took {time.monotonic() - began:.0f} s")
    return figures


def grouped(runs: Sequence[Figures]) -> list[list[Figures]]:
    groups: dict[tuple[str, int], list[Figures]] = {}
    for each in runs:
        groups.setdefault((each.name, each.delay_ms), []).append(each)
    return list(groups.values())


def all_probes(chosen: Options, place: Place, double: Provider) -> tuple[dict[str, float | None], bool]:
    wanted: dict[str, Probe] = {
        "critical": lambda: critical.critical(place, double, chosen.sizes),
        "growth": lambda: growth.growth(place, double, chosen.sizes),
        "history": lambda: growth.history(place, double, chosen.sizes),
        "memory": lambda: growth.memory(place, double, chosen.sizes),
        "idle": lambda: stack.idle(chosen.sizes),
        "sign-up": stack.sign_up,
    }
    measured: dict[str, Any] = {}
    failed = False
    for name, probe in wanted.items():
        if chosen.wants_probe(name):
            try:
                measured |= probe()
            except (ProcessFailedError, ServerError) as error:
                failed = True
                say(f"{name} failed: {error}")
    return measured, failed


def write_pages(chosen: Options, scale: str, whole: Sequence[Figures], measured: Mapping[str, float | None]) -> None:
    """Replace the measured section of each page: in docs/ if wanted, else in a copy next to the results."""
    sections = {
        "performance": [scale, gains(whole, measured), chart(whole), table(whole).strip("\n"), probes_table(measured)],
        "scaling": [scale, costs(whole)],
    }
    for name, parts in sections.items():
        page = DOCS / f"{name}.md"
        goal = page if name in chosen.pages else environment.FOLDER / page.name
        goal.write_text(with_section(page.read_text() if page.exists() else "", section("\n\n".join(parts))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
