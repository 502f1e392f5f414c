from devtools.chaos.workload import Operation, Result
from tests.containers.verdict import judge, longest_gap_s


def operation(address, result=Result.ACKNOWLEDGED, began_at=100.0, took_s=1.0):
    at = began_at + took_s
    return Operation(at=at, kind="welcome", address=address, result=result, status=302, took_s=took_s)


def arrived(address, at=103.0):
    return {"to": address, "at": at, "subject": "Welcome"}


def test_everyone_has_one_email():
    verdict = judge([operation("a"), operation("b")], [arrived("a"), arrived("b", at=105.0)], {})
    assert (verdict.accepted, verdict.lost, verdict.doubled, verdict.unexplained) == (2, [], 0, [])
    assert verdict.waits_s == [3.0, 5.0]


def test_accepted_person_without_email_is_lost():
    assert judge([operation("a"), operation("b")], [arrived("a")], {}).lost == ["b"]


def test_person_without_an_answer_does_not_count():
    results = (Result.REJECTED, Result.UNKNOWN, Result.UNEXPECTED)
    verdict = judge([operation(result.value, result) for result in results], [arrived("unknown")], {})
    assert (verdict.accepted, verdict.lost, verdict.unexplained) == (0, [], [])


def test_copy_is_explained_only_by_a_lost_answer():
    inbox = [arrived("a"), arrived("a"), arrived("b"), arrived("b"), arrived("b")]
    verdict = judge([operation("a"), operation("b")], inbox, {"a": 1, "b": 1})
    assert (verdict.doubled, verdict.unexplained) == (3, ["b"])


def test_wait_ends_with_the_first_copy():
    assert judge([operation("a")], [arrived("a", at=102.0), arrived("a", at=150.0)], {"a": 1}).waits_s == [2.0]


def test_longest_gap_has_no_acknowledged_sign_up():
    people = [
        operation("a", began_at=100.0),
        operation("b", began_at=104.0),
        operation("c", Result.REJECTED, began_at=106.0),
        operation("d", began_at=111.0),
    ]
    assert longest_gap_s(people, since=100.5, until=114.0) == 7.0
    assert longest_gap_s([], since=1.0, until=3.0) == 2.0
