"""Which held messages a lost answer or a killed worker explains."""

import pytest

from devtools.chaos.held import IN_HAND_S, unexplained
from tests.devtools.chaos.examples import call

ADA = ("product-news", "ada@x.example")
# The call of the example ends at this time.
ENDED_AT = 101.0


def batch(**changes):
    """Return a call for several recipients, of which m1 is the second."""
    metadata = [{"mailroom_message_id": name, "mailroom_attempt": "1"} for name in ("m0", "m1")]
    return call("bob@x.example", "m0", batch=metadata, **changes)


def kill(at, *message_ids, state="in flight"):
    messages = [{"message_id": name, "attempt": "1", "provider": "sendgrid", "state": state} for name in message_ids]
    return [
        {"at": at - 0.5, "did": "froze", "name": "worker-bulk", "pid": 7, "messages": messages},
        {"at": at, "did": "killed", "name": "worker-bulk", "pid": 7, "messages": []},
    ]


@pytest.mark.parametrize(
    ("calls", "killer", "at_kills", "is_explained"),
    [
        pytest.param([batch(ended="cut")], [], (), True, id="the answer was lost"),
        pytest.param([batch(ended="")], [], (), True, id="the call had no answer"),
        pytest.param([batch(ended="refused")], [], (), False, id="refused"),
        pytest.param([batch()], [], (), False, id="accepted"),
        pytest.param([batch(ended="refused"), batch(ended="cut")], [], (), True, id="its last answer was lost"),
        pytest.param([batch(ended="cut"), batch(ended="refused")], [], (), False, id="its last answer was not lost"),
        pytest.param([batch()], kill(9e9, "m1"), (), True, id="in the killer's log"),
        pytest.param([batch()], kill(9e9, "m0"), (), False, id="another one is in the killer's log"),
        pytest.param([batch(ended="refused")], kill(ENDED_AT + 1), (), True, id="killed soon after the answer"),
        pytest.param([batch(ended="refused")], kill(ENDED_AT + IN_HAND_S + 1), (), False, id="killed long after it"),
        pytest.param([batch(ended="refused")], kill(ENDED_AT - 1), (), False, id="killed before the answer"),
        pytest.param([], kill(ENDED_AT), [ADA[1]], True, id="no call, and a worker was killed"),
        pytest.param([], kill(ENDED_AT), (), False, id="no call, and no worker was killed meanwhile"),
    ],
)
def test_held_message_needs_an_explanation(calls, killer, at_kills, is_explained):
    assert unexplained({"m1": ADA}, calls, killer, at_kills=at_kills) == ([] if is_explained else [ADA])
