"""What is wrong with the whole, as a table."""

import pytest

from notifications.operations.problems import problems, replaced, spoken
from notifications.operations.status import Brake, Circuit, Dead, Lane, Misfit, Overdue, Process, Status
from notifications.states import Stream

ALIVE = [Process(name=f"{name}@here", silent_s=2, trouble="") for name in ("beat", "main", "relay")]


def status(**changes):
    well = {
        "processes": ALIVE,
        "lanes": [lane(stream) for stream in Stream],
        "circuits": [Circuit(provider="ses", state="closed"), Circuit(provider="sendgrid", state="closed")],
        "sending": 0,
        "uncertain": 0,
        "held": 0,
        "dead": [],
        "traffic": [],
        "brake": brake(),
        "broker_is_away": False,
    }
    return Status(**(well | changes))


OVERDUE = [
    Overdue(name="forget", every_s=3600, done_s=3 * 3600, error="ReadTimeout"),
    Overdue(name="sweep", every_s=3600, done_s=None),
]


def brake(**changes):
    well = {"on": False, "bounced": 0, "sent": 0, "more": False, "line_s": 0, "window_min": 60, "per_min": 6}
    return Brake(**(well | changes))


def lane(stream, **changes):
    empty = {"due": 0, "later": 0, "oldest_s": 0, "published": 0, "pace": None, "served": True}
    return Lane(stream=stream, **(empty | changes))


def late(stream, oldest_s, **changes):
    return {"lanes": [lane(stream, due=1, oldest_s=oldest_s, **changes)]}


def unserved(*streams):
    return {"lanes": [lane(stream, served=stream not in streams) for stream in Stream]}


def silent(name, silent_s=40):
    return Process(name=name, silent_s=silent_s, trouble="")


def young(name, age_s):
    return Process(name=name, silent_s=2, trouble="", age_s=age_s)


@pytest.mark.parametrize(
    ("processes", "expected"),
    [
        ([silent("bulk@old", 40), young("bulk@new", 30)], {"bulk@old"}),
        # It was there before: it replaces none.
        ([silent("bulk@old", 40), young("bulk@other", 50)], set()),
        ([silent("bulk@old", 40), young("main@new", 30)], set()),
        # Two are lost and one has come.
        ([silent("bulk@a", 40), silent("bulk@b", 60), young("bulk@new", 30)], {"bulk@a"}),
        ([silent("bulk@a", 40), silent("bulk@b", 60), young("bulk@new", 50)], {"bulk@b"}),
        ([silent("bulk@a", 40), silent("bulk@b", 60), young("bulk@c", 30), young("bulk@d", 50)], {"bulk@a", "bulk@b"}),
    ],
)
def test_silent_process_is_replaced_by_a_newer_one_of_its_kind(processes, expected):
    assert replaced(processes) == expected


def dead(cause, hour):
    return Dead(cause=cause, hour=hour, day=hour, ever=900)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"broker_is_away": True}, ["Redis does not answer: start it."]),
        ({"processes": []}, ["No relay is running: start one.", "No beat is running: start one."]),
        ({"processes": ALIVE[:2]}, ["No relay is running"]),
        (
            {"misfits": [Misfit(cause="kind/UnknownKindError", kind="order-shipped", count=1)]},
            ["1 message waits for a worker that can send order-shipped"],
        ),
        ({"overdue": OVERDUE}, ["Housekeeping is overdue: forget (last done 3 h ago"]),
        # One cause, one line: what was never done waits for beat.
        ({"processes": ALIVE[1:], "overdue": OVERDUE[1:]}, ["No beat is running"]),
        ({"processes": ALIVE[1:], "overdue": OVERDUE}, ["No beat is running", "Housekeeping is overdue: forget"]),
        # It is there and does nothing: to start a second one would not mend it.
        (
            {"processes": [*ALIVE[:2], silent("relay@here")]},
            ["relay@here has been silent for 40 s: it is frozen"],
        ),
        ({"processes": [*ALIVE, silent("bulk@here", 1500)]}, ["bulk@here has been silent for 25 min: it is frozen"]),
        ({"processes": [*ALIVE, silent("bulk@here", 20)]}, []),
        ({"processes": [*ALIVE, silent("bulk@old", 1500), young("bulk@new", 30)]}, []),
        ({"processes": [*ALIVE, Process(name="bulk@here", silent_s=1, trouble="tired")]}, ["bulk@here: tired. Start"]),
        ({"connections_used": 77, "connections_allowed": 97}, []),
        ({"connections_used": 78, "connections_allowed": 97}, ["78 of the database's 97 connections are in use"]),
        (unserved(Stream.CRITICAL), ["No healthy worker serves critical: start one"]),
        (unserved(*Stream), ["No healthy worker serves critical, default or bulk: start one"]),
        ({"circuits": [Circuit(provider="ses", state="open", reason="http-503")]}, ["ses takes no", "No provider"]),
        (
            {"circuits": [Circuit(provider="ses", state="open"), Circuit(provider="smtp", state="closed")]},
            ["ses takes no mail. It is tried again by itself."],
        ),
        (
            {"brake": brake(on=True, bounced=12, sent=80, line_s=300)},
            ["12 of 80 mails to unconfirmed addresses bounced within 60 min: sign-up mail is slowed to 6 a minute,"],
        ),
        ({"brake": brake(bounced=12, sent=600, line_s=300)}, []),
        (late(Stream.CRITICAL, 30), []),
        (late(Stream.CRITICAL, 31), ["Critical mail has been due for 31 s. Its tasks are not published"]),
        (late(Stream.CRITICAL, 31, published=4), ["Critical mail has been due for 31 s. Its tasks wait for workers"]),
        (late(Stream.DEFAULT, 600, pace=7.5), ["Default mail has been due for 10 min. The budget lets 7.5 a second"]),
        (late(Stream.BULK, 3600), []),
        (late(Stream.BULK, 7 * 3600), ["Bulk mail has been due for 7 h."]),
        ({"lanes": [lane(Stream.DEFAULT, pace=0.0)]}, ["The budget lets no default mail go"]),
        # A campaign that has used up its share of the day waits for tomorrow.
        ({"lanes": [lane(Stream.BULK, pace=0.0)]}, []),
        ({"dead": [dead("ses/x", 4), dead("ses/y", 6)]}, ["10 messages died in the last hour, most of ses/y: mend"]),
        ({"dead": [dead("ses/x", 9)]}, []),
    ],
)
def test_problems(changes, expected):
    found = problems(status(**changes))
    assert len(found) == len(expected)
    for sentence, beginning in zip(found, expected, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7140, "119 min"), (9000, "2 h")]
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert spoken(seconds) == words
