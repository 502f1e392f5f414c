"""Run the benchmark: every contestant on the same servers, one after another, in rounds of rotated order.

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
from devtools.benchmarks.throughput import environment, probes, provider
from devtools.benchmarks.throughput.contestant import Contestant
from devtools.benchmarks.throughput.field import CHUNK, contestants
from devtools.benchmarks.throughput.figures import Figures, is_slowed_by_double, medians, rotated
from devtools.benchmarks.throughput.line_process import ProcessFailedError
from devtools.benchmarks.throughput.measure import measure
from devtools.benchmarks.throughput.options import Options, options
from devtools.benchmarks.throughput.provider import Provider
from devtools.benchmarks.throughput.report import last_line, table, with_section
from devtools.benchmarks.throughput.servers import Place
from devtools.stack.console import say
from devtools.stack.interruption import interrupt_once
from devtools.stack.server import ServerError

# Every run of every start, so that an interrupted benchmark keeps what it has measured.
RUNS = "runs.jsonl"
PAGE = BASE_DIR / "docs" / "performance.md"
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
    measured, failed = all_probes(chosen, whole, place, double)
    sizes = f"{chosen.count:,} messages, median of {chosen.rounds} rounds, {os.cpu_count()} cores"
    scale = f"{sizes}, {time.strftime('%Y-%m-%d')}"
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
            say(f"A rate is above half of what the double answers ({capacity:.0f}/s): that one may be the double's.")
        write_page(with_section, whole, scale, in_docs=chosen.writes_page)
    say(last_line(whole, measured))
    return int(failed or any(each.problems for each in runs))


def all_runs(chosen: Options, found: Sequence[Contestant], place: Place, double: Provider) -> Iterator[Figures]:
    by_name = {contestant.name: contestant for contestant in found if chosen.wants(contestant.name)}
    for number in range(chosen.rounds):
        for delay_ms in chosen.delays_ms:
            names = [name for name, contestant in by_name.items() if delay_ms in contestant.delays_ms]
            for name in rotated(names, number, chosen.rounds):
                yield one_run(by_name[name], place, double, delay_ms, chosen.count)


def one_run(contestant: Contestant, place: Place, double: Provider, delay_ms: int, count: int) -> Figures:
    try:
        figures = measure(contestant, place, double, delay_ms, count)
    except (ProcessFailedError, ServerError) as error:
        say(f"{contestant.name} at {delay_ms} ms failed: {error}")
        return Figures(name=contestant.name, delay_ms=delay_ms, problems=[str(error).splitlines()[0]])
    with (environment.FOLDER / RUNS).open("a") as file:
        file.write(json.dumps({"at": time.time(), **asdict(figures)}) + "\n")
    say(f"{contestant.name} at {delay_ms} ms: {figures.emails_per_s:.0f} emails/s, {figures.all_cpu_ms:.2f} CPU ms")
    return figures


def grouped(runs: Sequence[Figures]) -> list[list[Figures]]:
    groups: dict[tuple[str, int], list[Figures]] = {}
    for each in runs:
        groups.setdefault((each.name, each.delay_ms), []).append(each)
    return list(groups.values())


def all_probes(
    chosen: Options, whole: Sequence[Figures], place: Place, double: Provider
) -> tuple[dict[str, float | None], bool]:
    chunk = next((each for each in whole if each.name == CHUNK), None)
    wanted: dict[str, Probe] = {
        "critical": lambda: probes.critical(place, double, chosen.count),
        "growth": lambda: probes.growth(place, double, chunk, chosen.count),
        "sign-up": probes.sign_up,
    }
    measured: dict[str, Any] = {}
    failed = False
    for name, probe in wanted.items():
        if chosen.wants(name):
            try:
                measured |= probe()
            except (ProcessFailedError, ServerError) as error:
                failed = True
                say(f"{name} failed: {error}")
    return measured, failed


def write_page(
    section: Callable[[str, Sequence[Figures], str], str], whole: Sequence[Figures], scale: str, *, in_docs: bool
) -> None:
    path = PAGE if in_docs else environment.FOLDER / "performance.md"
    page = path.read_text() if path.exists() else "# Performance\n"
    path.write_text(section(page, whole, scale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
