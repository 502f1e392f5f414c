"""A request is counted for an address that the client cannot forge."""

import pytest

from accounts.ratelimits.client_ip import client_of

PROXY = "10.0.0.1"
CLIENT = "192.0.2.7"
FORGED = "203.0.113.9"


@pytest.mark.parametrize(
    ("proxies", "remote_addr", "forwarded_for", "client"),
    [
        (0, CLIENT, "", CLIENT),
        (0, CLIENT, FORGED, CLIENT),
        (1, PROXY, CLIENT, CLIENT),
        (1, PROXY, f"{FORGED}, {CLIENT}", CLIENT),
        (1, PROXY, f"{FORGED},{FORGED},,{CLIENT} ", CLIENT),
        (2, PROXY, f"{CLIENT}, 10.0.0.2", CLIENT),
        (2, PROXY, f"{FORGED}, {CLIENT}, 10.0.0.2", CLIENT),
        # Fewer proxies than configured: the leftmost address is still from the nearest proxy.
        (2, PROXY, CLIENT, CLIENT),
        (3, PROXY, f"{CLIENT}, 10.0.0.2", CLIENT),
        (1, PROXY, "", PROXY),
        (2, PROXY, " ", PROXY),
        # Invalid.
        (1, PROXY, "unknown", PROXY),
        (1, PROXY, f"{FORGED}, _hidden", PROXY),
        (1, PROXY, f"{FORGED},", PROXY),
        (1, PROXY, "1.2.3.4.5", PROXY),
        (1, PROXY, "[::1", PROXY),
        (1, PROXY, "x" * 8000, PROXY),
        (1, PROXY, "," * 8000, PROXY),
        (0, "", "", ""),
        (1, "", "nonsense", ""),
        # Ports and brackets.
        (1, PROXY, f"{CLIENT}:4711", CLIENT),
        (1, PROXY, "[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::/64"),
        (1, PROXY, "[2001:db8:1:2:3::4]", "2001:db8:1:2::/64"),
        # One customer with several addresses.
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (0, "2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"),
        (0, "2001:db8:1:3::1", "", "2001:db8:1:3::/64"),
        (0, "fe80::1%eth0", "", "fe80::/64"),
        # The same client over a dual-stack socket.
        (0, f"::ffff:{CLIENT}", "", CLIENT),
        (1, PROXY, f"[::ffff:{CLIENT}]:80", CLIENT),
    ],
)
def test_client_is_the_one_the_outermost_trusted_proxy_saw(proxies, remote_addr, forwarded_for, client):
    assert client_of(remote_addr, forwarded_for, proxies) == client
