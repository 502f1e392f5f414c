import time
from uuid import RFC_4122

from notifications.rules.ids import time_ordered_id


def test_id_is_of_version_7():
    made = time_ordered_id()
    assert (made.version, made.variant) == (7, RFC_4122)


def test_id_begins_with_the_milliseconds():
    before = time.time_ns() // 1_000_000
    made = time_ordered_id()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_random_bits_take_both_values():
    made = [time_ordered_id().int for _ in range(1_000)]
    is_fixed = {*range(62, 64), *range(76, 80)}
    assert all(len({each >> bit & 1 for each in made}) == 2 for bit in set(range(80)) - is_fixed)
    assert len(set(made)) == len(made)
