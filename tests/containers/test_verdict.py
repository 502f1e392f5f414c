from tests.containers.verdict import Told, Word, judge, longest_gap_s


def told(address, word=Word.DONE, at=100.0, took_s=1.0):
    return Told(address=address, word=word, status=302, at=at, took_s=took_s)


def arrived(address, at=103.0):
    return {"to": address, "at": at, "subject": "Welcome"}


def test_everyone_has_one_email():
    verdict = judge([told("a"), told("b")], [arrived("a"), arrived("b", at=105.0)], {})
    assert (verdict.accepted, verdict.lost, verdict.doubled, verdict.unexplained) == (2, [], 0, [])
    assert verdict.waits_s == [3.0, 5.0]


def test_accepted_person_without_email_is_lost():
    assert judge([told("a"), told("b")], [arrived("a")], {}).lost == ["b"]


def test_person_without_an_answer_was_promised_nothing():
    words = (Word.REFUSED, Word.UNKNOWN, Word.UNCLEAN)
    verdict = judge([told(word.value, word) for word in words], [arrived("unknown")], {})
    assert (verdict.accepted, verdict.lost, verdict.unexplained) == (0, [], [])


def test_copy_is_explained_by_a_lost_answer_only():
    inbox = [arrived("a"), arrived("a"), arrived("b"), arrived("b"), arrived("b")]
    verdict = judge([told("a"), told("b")], inbox, {"a": 1, "b": 1})
    assert (verdict.doubled, verdict.unexplained) == (3, ["b"])


def test_wait_ends_with_the_first_copy():
    assert judge([told("a")], [arrived("a", at=102.0), arrived("a", at=150.0)], {"a": 1}).waits_s == [2.0]


def test_longest_gap_is_without_any_good_answer():
    people = [told("a", at=100.0), told("b", at=104.0), told("c", Word.REFUSED, at=106.0), told("d", at=111.0)]
    assert longest_gap_s(people, since=100.5, until=114.0) == 7.0
    assert longest_gap_s([], since=1.0, until=3.0) == 2.0
