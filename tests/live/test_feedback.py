"""Reports of providers arrive over real webhooks and change messages."""

import pytest

from notifications.delivery.relevance import SUPPRESSED
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.live.running import eventually

pytestmark = pytest.mark.live


def message(live, address):
    ((status, outcome, attempts),) = live.sql(
        "SELECT status, outcome, attempts FROM notifications_message WHERE to_address = %s", address
    )
    return status, outcome, attempts


@pytest.mark.long
@pytest.mark.parametrize("provider", ["sendgrid", "ses", "postmark"])
def test_message_whose_answer_was_lost_is_settled_by_webhook(unattended, provider):
    address = f"lost-answer-{provider}@example.com"
    unattended.simulator.set_controls(fault="cut_after", fault_next=1, webhook_delay_ms=2000)
    with unattended.worker_for(provider):
        unattended.site_client().sign_up(address)
        eventually(lambda: message(unattended, address)[0] == "uncertain")
        assert unattended.accepted({address}) == {address: 1}
        eventually(lambda: message(unattended, address)[:2] == ("sent", "delivered"))
    attempts = unattended.sql(
        "SELECT a.provider, a.number, a.result FROM notifications_deliveryattempt a"
        " JOIN notifications_message m ON m.id = a.message_id WHERE m.to_address = %s",
        address,
    )
    assert attempts == [(provider, 1, "ambiguous")]
    assert unattended.accepted({address}) == {address: 1}


def test_hard_bounce_suppresses_the_address_and_the_reset_names_the_reason(live):
    address = "bounce-live@example.com"
    person = live.site_client()
    person.sign_up(address)
    eventually(lambda: message(live, address)[:2] == ("sent", "bounced"))
    eventually(lambda: live.sql("SELECT 1 FROM notifications_suppression WHERE address = %s", address))
    person.ask_for_reset(address)
    ((status, reason),) = live.sql(
        "SELECT status, status_reason FROM notifications_message WHERE to_address = %s AND kind = 'password-reset'",
        address,
    )
    assert (status, reason) == (Status.SUPPRESSED, SUPPRESSED.format(reason=Reason.HARD_BOUNCE))


def test_events_doubled_late_and_out_of_order_end_in_the_right_outcome(live):
    addresses = {f"disordered{number}@example.com" for number in range(10)}
    live.simulator.set_controls(
        webhook_doubled_rate=0.7, webhook_delay_ms=300, webhook_shuffle=True, deferred_rate=0.5, seed=7
    )
    for address in sorted(addresses):
        live.site_client().sign_up(address)
    eventually(
        lambda: {message(live, address)[:2] for address in addresses} == {("sent", "delivered")},
    )
    doubles = live.sql("SELECT provider, event_id FROM notifications_providerevent GROUP BY 1, 2 HAVING count(*) > 1")
    assert doubles == []
