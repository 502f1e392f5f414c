"""The alert rules and the dashboard use existing metrics, and Prometheus' own tool accepts them."""

import json
import re
from collections.abc import Iterator

import pytest
from ruamel.yaml import YAML

from config.environment import BASE_DIR
from notifications.operations.metrics.page import metrics
from notifications.operations.metrics.totals import COUNTERS
from tests.promtool import needs_promtool, promtool

RULES = BASE_DIR / "docs/prometheus/alerts.yml"
DASHBOARD = BASE_DIR / "docs/grafana/mailroom.json"
METRIC = re.compile(r"mailroom_[a-z_]+")
GRAFANA_INTERVAL = "$__rate_interval"


def rules() -> list[dict[str, str]]:
    (group,) = YAML(typ="safe").load(RULES)["groups"]
    return list(group["rules"])


def queries() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


@pytest.fixture
def exported(db, valkey):
    suffixes = ("_bucket", "_sum", "_count")
    names = set(re.findall(r"^# TYPE (\w+)", metrics(), re.MULTILINE))
    return names | {f"{name}{suffix}" for name in names for suffix in suffixes}


def test_rules_and_dashboard_use_existing_metrics(exported):
    used = {name for text in [*queries(), *(rule["expr"] for rule in rules())] for name in METRIC.findall(text)}
    assert len(used) > len(COUNTERS)
    assert used <= exported


@needs_promtool
def test_prometheus_accepts_the_rules():
    done = promtool("check", "rules", "--lint-fatal", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_rules_fire_as_intended():
    done = promtool("test", "rules", "alerts_test.yml", cwd=RULES.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_has_a_test():
    tested = (RULES.parent / "alerts_test.yml").read_text()
    firing = re.findall(r"alertname: (\w+)\n\s+exp_alerts:", tested)
    assert {rule["alert"] for rule in rules()} == set(firing)


@needs_promtool
def test_prometheus_reads_the_queries_of_the_dashboard(tmp_path):
    records = [
        {"record": f"panel:{number}", "expr": query.replace(GRAFANA_INTERVAL, "5m")}
        for number, query in enumerate(queries())
    ]
    with (tmp_path / "queries.yml").open("w") as file:
        YAML().dump({"groups": [{"name": "dashboard", "rules": records}]}, file)
    done = promtool("check", "rules", str(tmp_path / "queries.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
