"""The steps of the test, in the short and the full version."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from devtools.chaos.workload import Result
from tests.containers.crowd import Crowd
from tests.containers.engine import EngineError, run
from tests.containers.site import Site

ALL = ("web", "worker-critical", "worker-main", "worker-bulk", "relay", "beat", "flower", "redis", "postgres")
SHORT = ("worker-main", "web", "redis")
# With a proxy and on a busy machine. Without a buffering proxy the site would stop answering.
SLOWED_TO_S = 15.0
QUEUES = {"critical", "default", "bulk"}
ASK_FLOWER = """
import base64, re, urllib.request
request = urllib.request.Request("http://127.0.0.1:5555/broker")
request.add_header("Authorization", "Basic " + base64.b64encode(b"operator:flower-password").decode())
print(*re.findall(r"<td>([a-z]+)</td>", urllib.request.urlopen(request, timeout=20).read().decode()))
"""


@dataclass
class Outcome:
    failed: list[str] = field(default_factory=list)
    passed: int = 0
    figures: dict[str, float] = field(default_factory=dict)

    def most(self, name: str, value: float) -> None:
        self.figures[name] = max(self.figures.get(name, 0.0), value)


class Scenario:
    def __init__(self, site: Site, crowd: Crowd, say: Callable[[str], None], *, short: bool) -> None:
        self.site = site
        self.crowd = crowd
        self.say = say
        self.short = short
        self.outcome = Outcome()

    def play(self) -> None:
        self.check("containers have no privileges", self.no_privileges)
        self.check("ports are on loopback only", self.loopback_only)
        self.crowd.come()
        self.check("Flower lists the three queues", self.flower_lists_queues)
        self.check("slow clients behind the proxy do not stop the site", self.slow_clients)
        for service in SHORT if self.short else ALL:
            self.check(f"{service} is healthy again after a kill", partial(self.kill, service))
        self.check("upgrade step by step", self.upgrade_in_steps)
        if not self.short:
            self.check("upgrade all services together", self.upgrade_together)
            self.check("stop under load, every process exits with 0, start", self.stop_and_start)
            self.check("power cut; all services are healthy again", self.power_cut)
            self.check("Flower lists the three queues after the power cut", self.flower_lists_queues)
            self.check("secrets in files", self.secrets_in_files)
        self.crowd.leave()
        self.check("manage.py status exits with 0", self.status_is_ok)

    def check(self, name: str, step: Callable[[], str]) -> None:
        """Run a step and print its result. A step returns a remark, or raises AssertionError or EngineError."""
        began = time.monotonic()
        try:
            remark = step()
        except (AssertionError, EngineError) as error:
            self.outcome.failed.append(name)
            self.say(f"FAILED  {name}: {error}")
        else:
            self.outcome.passed += 1
            self.say(f"ok      {name} ({time.monotonic() - began:.1f} s) {remark}".rstrip())

    def no_privileges(self) -> str:
        for service in (*ALL, "mailpit"):
            lines = run(self.site.engine, "cat", f"/proc/{self.site.pid(service)}/status").splitlines()
            facts = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            expect(int(facts["CapBnd"], 16) == 0, f"{service} has capabilities")
            expect(facts["NoNewPrivs"] == "1", f"{service} may gain privileges")
            expect(service == "mailpit" or not facts["Uid"].startswith("0\t"), f"{service} runs as root")
        writable = "touch /app/x 2>/dev/null && exit 1; touch /tmp/x /run/mailroom/x"
        self.site.compose("exec", "-T", "web", "sh", "-c", writable)
        return ""

    def loopback_only(self) -> str:
        addresses = self.site.compose("ps", "--format", "{{range .Publishers}}{{.URL}} {{end}}").split()
        expect(bool(addresses) and set(addresses) <= {"127.0.0.1"}, f"ports are on {sorted(set(addresses))}")
        return ""

    def flower_lists_queues(self) -> str:
        listed = set(self.site.compose("exec", "-T", "flower", "python", "-c", ASK_FLOWER).split())
        expect(listed >= QUEUES, f"it lists {sorted(listed)}")
        return ""

    def slow_clients(self) -> str:
        since, before = time.time(), len(self.crowd.operations())
        most = self.crowd.be_slow(25 if self.short else 40)
        gap_s, came = self.crowd.gap_s(since), len(self.crowd.operations()) - before
        expect(most >= 190, f"only {most} connections were open")
        expect(gap_s < SLOWED_TO_S, f"no sign-up was answered for {gap_s:.1f} s")
        return f"{most} connections, {came} sign-ups meanwhile, longest gap {gap_s:.1f} s"

    def kill(self, service: str) -> str:
        since = time.time()
        self.site.kill(service)
        time.sleep(2)
        self.site.wait_healthy()
        healthy_s = time.time() - since
        self.outcome.most("healthy_after_kill_s", healthy_s)
        gap_s = self.crowd.gap_s(since)
        if not self.short:
            time.sleep(3)
        return f"no sign-up was answered for {gap_s:.1f} s"

    def upgrade_in_steps(self) -> str:
        # As in docs/how-to/upgrade.md: migrate, then the web process, then the others.
        since, self.site.version = time.time(), "next"
        self.site.compose("run", "--rm", "-T", "migrate")
        self.site.compose("up", "-d", "--no-deps", "--wait", "web")
        others = [name for name in ALL if name not in {"web", "redis", "postgres"}]
        self.site.compose("up", "-d", "--no-deps", "--wait", *others)
        gap_s = self.crowd.gap_s(since)
        self.outcome.most("upgrade_gap_s", gap_s)
        return f"no sign-up was answered for {gap_s:.1f} s"

    def upgrade_together(self) -> str:
        since, self.site.version = time.time(), "this"
        servers = self.site.compose("ps", "-q", "postgres", "redis")
        self.site.compose("up", "-d")
        self.site.wait_healthy()
        until = time.time()
        gap_s = self.crowd.gap_s(since)
        self.outcome.most("all_at_once_gap_s", gap_s)
        expect(self.site.compose("ps", "-q", "postgres", "redis") == servers, "PostgreSQL or Redis was replaced")
        signed_up = {
            one.address: one.at
            for one in self.crowd.operations()
            if one.result is Result.ACKNOWLEDGED and since < one.at < until
        }
        expect(
            wait_until(lambda: not self.missing(signed_up), 300), f"{len(self.missing(signed_up))} emails are missing"
        )
        arrived = {str(entry["to"]): float(str(entry["at"])) for entry in self.site.inbox()}
        waited_s = max((arrived[address] - at for address, at in signed_up.items()), default=0.0)
        remark = f"no sign-up was answered for {gap_s:.1f} s, all healthy after {until - since:.0f} s"
        return f"{remark}, all {len(signed_up)} emails arrived within {waited_s:.0f} s"

    def missing(self, signed_up: Mapping[str, float]) -> set[str]:
        return set(signed_up) - {str(entry["to"]) for entry in self.site.inbox()}

    def stop_and_start(self) -> str:
        self.site.configure(inbox_delay_s=4)
        self.site.compose("up", "-d", "--wait", "mailpit")
        time.sleep(6)
        began = time.monotonic()
        self.site.compose("stop", "--timeout", "95")
        stopped_s = time.monotonic() - began
        ended = self.site.compose("ps", "-a", "--format", "{{.Service}} {{.ExitCode}}").splitlines()
        bad = [line for line in ended if not line.endswith(" 0")]
        self.site.configure()
        self.site.compose("up", "-d")
        self.site.wait_healthy()
        expect(not bad, f"ended with {', '.join(bad)}")
        return f"stopped in {stopped_s:.0f} s"

    def power_cut(self) -> str:
        began = time.monotonic()
        if not self.site.engine.cut_power():
            return "(skipped: it would stop the machine's engine)"
        self.crowd.leave()
        self.site.wait_healthy()
        healthy_s = time.monotonic() - began
        self.crowd.come()
        time.sleep(5)
        return f"after {healthy_s:.0f} s"

    def secrets_in_files(self) -> str:
        self.site.configure(secrets_in_files=True)
        self.site.compose("up", "-d")
        self.site.wait_healthy()
        environment = self.site.compose("exec", "-T", "worker-main", "env")
        expect("SECRET_KEY=" not in environment, "the secret is also in the environment")
        return ""

    def status_is_ok(self) -> str:
        last = ""

        def is_ok() -> bool:
            nonlocal last
            try:
                self.site.compose("run", "--rm", "-T", "manage", "status")
            except EngineError as error:
                last = str(error)
                return False
            return True

        expect(wait_until(is_ok, 90), last)
        return ""


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def wait_until(happened: Callable[[], bool], within_s: float) -> bool:
    give_up_at = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(2)
    return True
