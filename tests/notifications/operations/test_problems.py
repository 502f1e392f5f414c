"""The findings about a status, as a table."""

import pytest

from notifications.breaker.circuit import FAILURES
from notifications.breaker.permits import CircuitState
from notifications.operations.advice import ADVICE, ProviderCode
from notifications.operations.figures import (
    Brake,
    Dead,
    Lane,
    Misfit,
    Overdue,
    PauseState,
    ProcessState,
    SystemStatus,
    Traffic,
    WaitingChanges,
)
from notifications.operations.finding import EXPLAINS, Code
from notifications.operations.problems import ALERTING, findings, replaced
from notifications.operations.wording import duration
from notifications.rules.states import Stream

ALIVE = [ProcessState(name=f"{name}@here", silent_s=2, trouble="") for name in ("beat", "main", "relay")]


def status(**changes):
    well = {
        "processes": ALIVE,
        "lanes": [lane(stream) for stream in Stream],
        "circuits": [CircuitState(provider="ses", state="closed"), CircuitState(provider="sendgrid", state="closed")],
        "sending": 0,
        "uncertain": 0,
        "held": 0,
        "dead": [],
        "traffic": [],
        "brake": brake(),
        "broker_is_down": False,
    }
    return SystemStatus(**(well | changes))


OVERDUE = [
    Overdue(name="anonymize", every_s=3600, done_s=3 * 3600, error="ReadTimeout"),
    Overdue(name="sweep", every_s=3600, done_s=None),
]


def brake(**changes):
    well = {"on": False, "bounced": 0, "sent": 0, "more": False, "queue_s": 0, "window_min": 60, "per_min": 6}
    return Brake(**(well | changes))


def lane(stream, **changes):
    empty = {"due": 0, "later": 0, "oldest_s": 0, "published": 0, "pace": None, "served": True}
    return Lane(stream=stream, **(empty | changes))


def late(stream, oldest_s, **changes):
    return {"lanes": [lane(stream, due=1, oldest_s=oldest_s, **changes)]}


def unserved(*streams):
    return {"lanes": [lane(stream, served=stream not in streams) for stream in Stream]}


def silent(name, silent_s=40):
    return ProcessState(name=name, silent_s=silent_s, trouble="")


def young(name, age_s):
    return ProcessState(name=name, silent_s=2, trouble="", age_s=age_s)


@pytest.mark.parametrize(
    ("processes", "expected"),
    [
        ([silent("bulk@old", 40), young("bulk@new", 30)], {"bulk@old"}),
        # An older process replaces none.
        ([silent("bulk@old", 40), young("bulk@other", 50)], set()),
        ([silent("bulk@old", 40), young("main@new", 30)], set()),
        # Two are lost and one is new.
        ([silent("bulk@a", 40), silent("bulk@b", 60), young("bulk@new", 30)], {"bulk@a"}),
        ([silent("bulk@a", 40), silent("bulk@b", 60), young("bulk@new", 50)], {"bulk@b"}),
        ([silent("bulk@a", 40), silent("bulk@b", 60), young("bulk@c", 30), young("bulk@d", 50)], {"bulk@a", "bulk@b"}),
    ],
)
def test_silent_process_is_replaced_by_a_newer_one_of_its_kind(processes, expected):
    assert replaced(processes) == expected


def dead(cause, hour, **more):
    return Dead(cause=cause, hour=hour, **({"day": hour, "ever": hour} | more))


def shut(provider="ses", error_class=""):
    return CircuitState(provider=provider, state="open", error_class=error_class)


def troubled(name):
    return ProcessState(name=name, silent_s=1, trouble="tired")


def traffic(**changes):
    return [Traffic(**({"provider": "ses", "minute": 1, "hour": 90, "failed": 0, "more": False} | changes))]


def paused(what, *names):
    return {"pauses": [PauseState(what=what, name=name, by="Ada", reason="wrong text", since_s=90) for name in names]}


CLOSED = CircuitState(provider="sendgrid", state="closed")
PAUSED = [lane(stream, pace=0.0, paused_s=30.0, due=1, oldest_s=900) for stream in (Stream.CRITICAL, Stream.DEFAULT)]
MISFIT = Misfit(cause="kind/UnknownKindError", kind="order-shipped", count=1)

CASES = {
    "nothing": ({}, []),
    "broker": ({"broker_is_down": True}, [Code.BROKER_AWAY]),
    "disk full": ({"disk_is_full": True}, [Code.DISK_FULL]),
    "alerts fail": (
        {"failing_channels": dict.fromkeys(ALERTING, "HTTP 404")},
        [Code.ALERT_WEBHOOK, Code.ALERT_PING],
    ),
    "no processes": ({"processes": []}, [Code.NO_RELAY, Code.NO_BEAT]),
    "no relay": ({"processes": ALIVE[:2]}, [Code.NO_RELAY]),
    "misfits": ({"misfits": [MISFIT]}, [Code.MISFITS]),
    "receiver fails": (
        {"changes": WaitingChanges(count=3, late=2, oldest_s=90, error="shop: KeyError")},
        [Code.CHANGES_LATE],
    ),
    "no receiver in the relay": ({"changes": WaitingChanges(count=1, late=1, oldest_s=90)}, [Code.CHANGES_LATE]),
    "changes wait": ({"changes": WaitingChanges(count=9, oldest_s=50)}, []),
    "changes without a relay": (
        {"processes": ALIVE[:2], "changes": WaitingChanges(count=1, late=1, oldest_s=90)},
        [Code.NO_RELAY],
    ),
    "overdue": ({"overdue": OVERDUE}, [Code.OVERDUE]),
    "overdue without beat": ({"processes": ALIVE[1:], "overdue": OVERDUE}, [Code.NO_BEAT]),
    # It runs but does nothing: starting a second one would not help.
    "relay silent": ({"processes": [*ALIVE[:2], silent("relay@here")]}, [Code.PROCESS_SILENT]),
    "worker silent": ({"processes": [*ALIVE, silent("bulk@here", 1500)]}, [Code.PROCESS_SILENT]),
    "worker replaced": ({"processes": [*ALIVE, silent("bulk@old", 1500), young("bulk@new", 30)]}, []),
    "one of two": ({"processes": [*ALIVE, silent("main@other", 1500)]}, [Code.PROCESS_SILENT]),
    "worker in time": ({"processes": [*ALIVE, silent("bulk@here", 20)]}, []),
    "worker troubled": ({"processes": [*ALIVE, troubled("bulk@here")]}, [Code.PROCESS_TROUBLE]),
    "connections": ({"connections_used": 78, "connections_allowed": 97}, [Code.CONNECTIONS]),
    "connections left": ({"connections_used": 77, "connections_allowed": 97}, []),
    "one unserved": (unserved(Stream.CRITICAL), [Code.STREAM_UNSERVED]),
    "all unserved": (unserved(*Stream), [Code.STREAM_UNSERVED]),
    "flower": ({"flower_is_missing": True}, [Code.NO_FLOWER]),
    "only provider": ({"circuits": [shut()]}, [Code.NO_PROVIDER]),
    "none configured": ({"circuits": []}, [Code.NO_PROVIDER]),
    "one provider of two": ({"circuits": [shut(error_class="transient"), CLOSED]}, [ProviderCode.DOWN]),
    "wrong key": ({"circuits": [shut(error_class="misconfigured"), CLOSED]}, [ProviderCode.REFUSES_US]),
    "no answer": ({"circuits": [shut(error_class="ambiguous"), CLOSED]}, [ProviderCode.NO_ANSWER]),
    "unknown cause": ({"circuits": [shut(), CLOSED]}, [ProviderCode.SHUT]),
    "bulk paused": (paused("stream", "bulk"), [Code.PAUSED]),
    "critical paused": (paused("stream", "critical"), [Code.PAUSED_CRITICAL]),
    "guard": ({"guard": "all email goes to box@dev.example"}, [Code.GUARD]),
    "kind paused": (paused("kind", "welcome"), [Code.PAUSED]),
    "provider paused": (paused("provider", "ses"), [Code.PAUSED]),
    "only other provider down": (
        {"circuits": [shut(), CLOSED]} | paused("provider", "sendgrid"),
        [Code.NO_PROVIDER, Code.PAUSED],
    ),
    "all providers paused": (paused("provider", "ses", "sendgrid"), [Code.NO_PROVIDER, Code.PAUSED, Code.PAUSED]),
    # Its outage changes nothing.
    "paused provider down": ({"circuits": [shut(), CLOSED]} | paused("provider", "ses"), [Code.PAUSED]),
    "brake": ({"brake": brake(on=True, bounced=12, sent=80, queue_s=300)}, [Code.BRAKE]),
    "bounces": ({"traffic": traffic(day_sent=1000, day_hard_bounced=50)}, [Code.BOUNCES]),
    "few bounces": ({"traffic": traffic(day_sent=1000, day_hard_bounced=49)}, []),
    "complaints": ({"traffic": traffic(day_sent=1000, day_complained=2)}, [Code.COMPLAINTS]),
    "one complaint": ({"traffic": traffic(day_sent=1000, day_complained=1)}, []),
    "brake released": ({"brake": brake(bounced=12, sent=600, queue_s=300)}, []),
    "critical in time": (late(Stream.CRITICAL, 30), []),
    "critical late": (late(Stream.CRITICAL, 31), [Code.LATE]),
    "critical published": (late(Stream.CRITICAL, 31, published=4), [Code.LATE]),
    "default late": (late(Stream.DEFAULT, 600, pace=7.5), [Code.LATE]),
    "bulk in time": (late(Stream.BULK, 3600), []),
    "bulk late": (late(Stream.BULK, 7 * 3600), [Code.LATE]),
    "throttled": ({"lanes": PAUSED}, [Code.BUDGET_PAUSED]),
    "day spent": ({"lanes": [lane(Stream.DEFAULT, pace=0.0)]}, [Code.BUDGET_SPENT]),
    # A campaign that has used up its share of the day waits for tomorrow.
    "bulk day spent": ({"lanes": [lane(Stream.BULK, pace=0.0)]}, []),
    "many died": ({"dead": [dead("ses/x", 4), dead("ses/y", 6)]}, [Code.DYING]),
    "some died": ({"dead": [dead("ses/x", 9)]}, [Code.DEAD_LETTERS]),
    "dead long ago": ({"dead": [dead("ses/x", 0, ever=1)]}, [Code.DEAD_LETTERS]),
    "uncertain": ({"uncertain": 1}, [Code.UNCERTAIN]),
    "held": ({"held": 1}, [Code.UNCERTAIN]),
    "no reports": ({"traffic": traffic(reports=False, unreported=20)}, [Code.NO_REPORTS]),
    "reports": ({"traffic": traffic(reports=True, unreported=900)}, []),
    "too few emails": ({"traffic": traffic(reports=False, unreported=19)}, []),
    "reports not set up": ({"traffic": traffic(reports=None, unreported=900)}, []),
}


@pytest.mark.parametrize("name", CASES)
def test_findings(name):
    changes, expected = CASES[name]
    assert [finding.code for finding in findings(status(**changes))] == expected


STANDSTILL = {"lanes": [lane(stream, due=9, oldest_s=1e5, served=False) for stream in Stream], "overdue": OVERDUE}


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ({"broker_is_down": True, "processes": [*ALIVE, troubled("bulk@here")]}, Code.BROKER_AWAY),
        ({"processes": [silent("beat@here"), silent("main@here"), silent("relay@here")]}, Code.PROCESS_SILENT),
    ],
)
def test_one_root_cause_is_one_line(cause, code):
    assert [finding.code for finding in findings(status(**STANDSTILL, **cause))] == [code]


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("relay@here", {Code.STREAM_UNSERVED, Code.OVERDUE}),
        ("beat@here", {Code.STREAM_UNSERVED}),
        ("critical@here", {Code.OVERDUE}),
    ],
)
@pytest.mark.parametrize(("process", "code"), [(silent, Code.PROCESS_SILENT), (troubled, Code.PROCESS_TROUBLE)])
def test_process_explains_the_consequences_of_its_failure(process, code, name, left):
    others = [one for one in ALIVE if one.name != name]
    found = findings(status(**STANDSTILL, processes=[*others, process(name)]))
    assert {finding.code for finding in found} == {code} | left


def test_one_line_names_every_unavailable_provider():
    circuits = [shut("ses", "misconfigured"), shut("smtp", "transient")]
    (finding,) = findings(status(circuits=circuits, **late(Stream.CRITICAL, 99)))
    assert finding.code == Code.NO_PROVIDER
    assert all(circuit.provider in finding.sentence for circuit in circuits)
    assert all(str(ADVICE[circuit.error_class].step) in finding.sentence for circuit in circuits)


def test_every_failure_has_its_advice():
    assert set(ADVICE) == set(FAILURES)
    assert len({str(found.step) for found in ADVICE.values()}) == len(ADVICE)


def test_notices_are_not_problems_and_come_last():
    changes = {"uncertain": 1, "broker_is_down": True, "dead": [dead("x", 1)]}
    found = findings(status(**changes))
    assert [finding.is_problem for finding in found] == [True, False, False]
    assert [finding.code for finding in [finding for finding in findings(status(**changes)) if finding.is_problem]] == [
        Code.BROKER_AWAY
    ]


def test_no_consequence_explains_its_cause():
    for cause, consequences in EXPLAINS.items():
        assert all(cause not in EXPLAINS.get(code, ()) for code in consequences)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7140, "119 min"), (9000, "2 h")]
)
def test_durations_are_readable(seconds, words):
    assert duration(seconds) == words
