"""Which held messages the evidence explains: a lost answer or a killed worker. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from devtools.chaos.checker import COMPLETE
from devtools.chaos.conditions import DEADLINE_S
from devtools.chaos.killer import lost_answers
from devtools.chaos.recovery import REFUSED
from devtools.stack.facts import Fact, epoch

# A worker has its messages in hand for this long after an answer: its calls begin within 2 s of the hand-over and end
# by the deadline. The killer takes up to two more seconds.
IN_HAND_S = DEADLINE_S + 4.0


def unexplained(
    held: Mapping[str, Fact],
    calls: Sequence[Mapping[str, Any]],
    killer: Sequence[Mapping[str, Any]],
    *,
    at_kills: Collection[str],
) -> list[Fact]:
    """Return the held facts whose answer was not lost, and that no killed worker had in hand.

    `held`: by message id. `calls`: oldest first. `killer`: the killer's log. `at_kills`: the addresses of the messages
    that were sent while a worker was killed.
    """
    last = {metadata.get("mailroom_message_id", ""): call for call in calls for metadata in call["batch"]}
    in_hand = {message_id for (message_id, _), _ in lost_answers(killer)}
    kills = [line["at"] for line in killer if line["did"] == "killed"]

    def is_explained(message_id: str, address: str) -> bool:
        if message_id in in_hand:
            return True
        call = last.get(message_id)
        if call is None:
            return address in at_kills
        if call["ended"] not in {COMPLETE, REFUSED}:
            return True
        return any(0.0 <= at - epoch(call["ended_at"]) <= IN_HAND_S for at in kills)

    return sorted(fact for message_id, fact in held.items() if not is_explained(message_id, fact[1]))
