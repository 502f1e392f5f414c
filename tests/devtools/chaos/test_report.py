"""The report of a run, and when a run fails."""

import json

import pytest

from devtools.chaos import history
from devtools.chaos.checker import Duplicate, Verdict
from devtools.chaos.conditions import announced, kept_environment, masked, settings
from devtools.chaos.faults import BY_NAME
from devtools.chaos.recovery import Impact, InjectedFault
from devtools.chaos.report import Broken, FaultFigures, complaints, last_line, remarks, table
from devtools.chaos.workload import Result
from tests.devtools.chaos.examples import call, entry, operation

ADA = ("welcome", "ada@x.example")
NEWS = ("product-news", "ada@x.example")
WELL = operation("eve@x.example")


def verdict(**changes):
    values = {"accepted": 3, "sent": 3, "lost": [], "duplicates": [], "strays": []}
    return Verdict(**{**values, **changes})


def copy(why):
    at = "2026-11-24T10:00:00.000000+00:00"
    return Duplicate(fact=ADA, message_id="m1", provider="sendgrid", accepted_at=at, why=why)


def done(fault="broker wiped", **changes):
    values = {"affected": 2, "rejected": 1, "recovery_s": 3.25, "sign_up_p99_ms": 40}
    injected = InjectedFault(fault=BY_NAME[fault], began_at=1010.0, ended_at=1010.5)
    return Impact(injected=injected, **{**values, **changes})


def figures(**changes):
    values = {
        "began_at": 1000.0,
        "operations": [operation("ada@x.example")],
        "verdict": verdict(),
        "impacts": [done()],
        "held": [],
        "unsettled": [],
        "uncertain_settled": 4,
        "settled_s": 9.0,
    }
    return FaultFigures(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({}, ""),
        ({"held": [NEWS]}, ""),
        ({"verdict": verdict(sent=4, duplicates=[copy("see its journal")])}, ""),
        ({"verdict": verdict(strays=[ADA])}, ""),
        (
            {
                "operations": [
                    WELL,
                    operation("ada@x.example", result=Result.REJECTED),
                    operation("bob@x.example", result=Result.UNKNOWN),
                ]
            },
            f"2 {Broken.REJECTED}: ada@x.example; bob@x.example",
        ),
        ({"impacts": [done(affected=0), done("relay killed", affected=0), done("ses answers 429")]}, ""),
        ({"impacts": [done("ses answers 429", affected=0)]}, f"1 {Broken.NO_EFFECT}: ses answers 429"),
        ({"operations": []}, f"0 {Broken.NOTHING_ACKNOWLEDGED}"),
        ({"verdict": verdict(lost=[ADA])}, f"1 {Broken.LOST}: welcome to ada@x.example"),
        ({"verdict": verdict(sent=4, duplicates=[copy("")])}, f"1 {Broken.UNEXPLAINED}: welcome to ada@x.example"),
        ({"held": [ADA, NEWS]}, f"1 {Broken.HELD}: welcome to ada@x.example"),
        ({"unsettled": [ADA]}, f"1 {Broken.UNSETTLED}: welcome to ada@x.example"),
        (
            {"operations": [WELL, operation("ada@x.example", result=Result.UNEXPECTED, status=500)]},
            f"1 {Broken.UNEXPECTED}: 500 for welcome",
        ),
        (
            {"operations": [WELL, operation("ada@x.example", result=Result.SAVED_TWICE)]},
            f"1 {Broken.SAVED_TWICE}: ada@x.example",
        ),
        (
            {"verdict": verdict(strays=[("account-exists", "ada@x.example")])},
            f"1 {Broken.SECOND_SIGN_UP}: ada@x.example",
        ),
    ],
)
def test_each_failure_of_a_run_is_named(changes, complaint):
    found = list(complaints(figures(**changes)))
    assert len(found) == bool(complaint)
    assert all(one.startswith(complaint) for one in found)


def test_long_list_is_shortened():
    (complaint,) = complaints(figures(unsettled=[("welcome", f"p{number}@x.example") for number in range(30)]))
    assert complaint.endswith("p9@x.example … and 20 more")


def test_last_line_has_its_documented_form():
    assert last_line(figures(), verdict(lost=[ADA]), wait_ratio=1.25) == (
        "prove: accepted=6 sent=6 held=0 lost=1 duplicated=0 unexplained_duplicates=0 uncertain_settled=4"
        " max_recovery_s=3.2 sign_up_p99_ms=50 beside_bad_recipients_ratio=1.25"
    )


def test_table_has_a_row_for_each_fault():
    _, head, row, _ = table(figures()).split("\n")
    assert row.split() == ["broker", "wiped", "10.0", "0.5", "2", "1", "3.2", "40"]
    assert len(head) == len(row)


def test_explanations_and_strays_are_in_the_remarks():
    text = "\n".join(remarks(figures(verdict=verdict(duplicates=[copy("see its journal")], strays=[NEWS]))))
    assert "see its journal" in text
    assert "ada@x.example" in text
    assert len(text.splitlines()) == 4


def test_slow_sign_up_during_a_broker_fault_gets_a_remark():
    slow = [done(sign_up_p99_ms=301), done("database crashed", sign_up_p99_ms=900)]
    text = "\n".join(remarks(figures(impacts=slow)))
    assert "301 ms" in text
    assert "broker wiped" in text
    assert "database" not in text


class NoRows:
    def stories(self, fact):
        return [{"status": "sent"}]


def test_report_has_the_history_of_suspicious_facts_without_email_content(tmp_path):
    journal = [entry("ada@x.example", "m1", text="secret link"), entry("bob@x.example", "m2")]
    path = tmp_path / "report.json"
    history.write(
        path,
        figures(verdict=verdict(duplicates=[copy("")])),
        journal=journal,
        calls=[call("ada@x.example", "m1"), call("bob@x.example", "m2")],
        killer=[],
        rows=NoRows(),
    )
    (story,) = json.loads(path.read_text())["stories"]
    assert story["fact"] == list(ADA)
    assert [len(story[part]) for part in ("operations", "calls", "journal", "our_rows")] == [1, 1, 1, 1]
    assert "secret link" not in path.read_text()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("EMAIL_RATE", "ses=1", "ses=1"),
        ("SENDGRID_API_KEY", "SG.x", "***"),
        ("POSTMARK_WEBHOOK_AUTH", "postmark:x", "***"),
        (
            "DATABASE_URL",
            "postgres://mailroom:geheim@127.0.0.1:1/mailroom",
            "postgres://mailroom:***@127.0.0.1:1/mailroom",
        ),
        ("REDIS_URL", "redis://:geheim@127.0.0.1:1/0", "redis://:***@127.0.0.1:1/0"),
    ],
)
def test_secrets_are_masked(name, value, shown):
    assert masked(name, value) == shown


def test_callers_settings_are_left_out():
    assert kept_environment({"PATH": "/bin", "LC_ALL": "C", "EMAIL_RATE": "1", "DATABASE_URL": "x", "MYPATH": "x"}) == {
        "PATH": "/bin",
        "LC_ALL": "C",
    }


def test_every_setting_is_announced_once_with_its_reason():
    chosen = settings("http://127.0.0.1:1")
    environment = {setting.name: setting.value for setting in chosen} | {"PATH": "/bin", "SITE_URL": "http://x"}
    lines = list(announced(chosen, environment))
    assert len(lines) == len(chosen) + 1
    assert lines[-1].startswith("SITE_URL=http://x  (")
    (providers,) = [line for line in lines if line.startswith("EMAIL_PROVIDERS=")]
    why = next(setting.why for setting in chosen if setting.name == "EMAIL_PROVIDERS")
    assert providers == f"EMAIL_PROVIDERS=ses,sendgrid  ({why})"
