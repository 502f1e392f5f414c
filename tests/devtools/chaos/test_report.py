"""What is said of a proof, and when it has failed."""

import json

import pytest

from devtools.chaos import history
from devtools.chaos.checker import Duplicate, Verdict
from devtools.chaos.conditions import announced, kept, masked, settings
from devtools.chaos.faults import BY_NAME
from devtools.chaos.recovery import Deed, Felt
from devtools.chaos.report import Figures, complaints, last_line, remarks, table
from devtools.chaos.workload import Word
from tests.devtools.chaos.told import call, entry, said

ADA = ("welcome", "ada@x.example")
NEWS = ("product-news", "ada@x.example")
WELL = said("eve@x.example")


def verdict(**changes):
    values = {"accepted": 3, "sent": 3, "lost": [], "duplicates": [], "strays": []}
    return Verdict(**{**values, **changes})


def copy(why):
    at = "2026-11-24T10:00:00.000000+00:00"
    return Duplicate(fact=ADA, message_id="m1", provider="sendgrid", accepted_at=at, why=why)


def done(fault="broker wiped", **changes):
    values = {"hit": 2, "refused": 1, "recovery_s": 3.25, "sign_up_p99_ms": 40}
    deed = Deed(fault=BY_NAME[fault], began_at=1010.0, ended_at=1010.5)
    return Felt(deed=deed, **{**values, **changes})


def figures(**changes):
    values = {
        "began_at": 1000.0,
        "said": [said("ada@x.example")],
        "verdict": verdict(),
        "felt": [done()],
        "held": [],
        "unsettled": [],
        "uncertain_settled": 4,
        "settled_s": 9.0,
    }
    return Figures(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({}, ""),
        ({"held": [NEWS]}, ""),
        ({"verdict": verdict(sent=4, duplicates=[copy("its journal says so")])}, ""),
        ({"verdict": verdict(strays=[ADA])}, ""),
        (
            {"said": [WELL, said("ada@x.example", word=Word.REFUSED), said("bob@x.example", word=Word.UNKNOWN)]},
            "2 turned away, and the database was well: ada@x.example; bob@x.example",
        ),
        ({"felt": [done(hit=0), done("relay killed", hit=0), done("ses answers 429")]}, ""),
        ({"felt": [done("ses answers 429", hit=0)]}, "1 harmed nothing: ses answers 429"),
        ({"said": []}, "nobody was told that it is done"),
        ({"verdict": verdict(lost=[ADA])}, "1 lost: people were told"),
        ({"verdict": verdict(sent=4, duplicates=[copy("")])}, "1 doubled without an explanation: welcome to ada@x.exa"),
        ({"held": [ADA, NEWS]}, "1 held: it may never have left"),
        ({"unsettled": [ADA]}, "1 not settled in time: welcome to ada@x.example"),
        ({"said": [WELL, said("ada@x.example", word=Word.UNCLEAN, status=500)]}, "1 the site answered neither"),
        ({"said": [WELL, said("ada@x.example", word=Word.TWICE)]}, "1 a link that works once"),
        ({"verdict": verdict(strays=[("account-exists", "ada@x.example")])}, "1 a double click"),
    ],
)
def test_proof_fails_only_for_what_must_not_be_and_says_it(changes, complaint):
    found = list(complaints(figures(**changes)))
    assert len(found) == bool(complaint)
    assert all(one.startswith(complaint) for one in found)


def test_long_list_is_cut():
    (complaint,) = complaints(figures(unsettled=[("welcome", f"p{number}@x.example") for number in range(30)]))
    assert complaint.endswith("p9@x.example … and 20 more")


def test_last_line_is_the_one_programs_read():
    assert last_line(figures(), verdict(lost=[ADA]), wait_ratio=1.25) == (
        "prove: accepted=6 sent=6 held=0 lost=1 duplicated=0 unexplained_duplicates=0 uncertain_settled=4"
        " max_recovery_s=3.2 sign_up_p99_ms=50 beside_bad_recipients_ratio=1.25"
    )


def test_table_has_a_row_for_each_harm():
    _, head, row, _ = table(figures()).split("\n")
    assert row.split() == ["broker", "wiped", "10.0", "0.5", "2", "1", "3.2", "40"]
    assert len(head) == len(row)


def test_explanations_and_strays_are_remarked():
    text = "\n".join(remarks(figures(verdict=verdict(duplicates=[copy("its journal says so")], strays=[NEWS]))))
    assert "A copy of the welcome to ada@x.example is explained: its journal says so." in text
    assert "1 mails went to people who were not told" in text


def test_slow_sign_up_while_the_broker_was_harmed_is_remarked():
    slow = [done(sign_up_p99_ms=301), done("database crashed", sign_up_p99_ms=900)]
    text = "\n".join(remarks(figures(felt=slow)))
    assert "301 ms at the worst while: broker wiped" in text
    assert "database" not in text


class NoRows:
    def stories(self, fact):
        return [{"status": "sent"}]


def test_report_tells_the_story_of_what_was_suspicious_without_the_mail_itself(tmp_path):
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
    assert [len(story[part]) for part in ("told", "calls", "journal", "our_rows")] == [1, 1, 1, 1]
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


def test_what_the_callers_shell_says_of_mailroom_is_left_out():
    assert kept({"PATH": "/bin", "LC_ALL": "C", "EMAIL_RATE": "1", "DATABASE_URL": "x", "MYPATH": "x"}) == {
        "PATH": "/bin",
        "LC_ALL": "C",
    }


def test_every_setting_is_announced_with_its_reason_and_none_twice():
    chosen = settings("http://127.0.0.1:1")
    environment = {setting.name: setting.value for setting in chosen} | {"PATH": "/bin", "SITE_URL": "http://x"}
    lines = list(announced(chosen, environment))
    assert len(lines) == len(chosen) + 1
    assert lines[-1] == "SITE_URL=http://x  (as in every local stack)"
    assert "EMAIL_PROVIDERS=ses,sendgrid  (two providers, both simulated)" in lines
