"""Find the client's address behind trusted proxies. Pure."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# An address with a port: "192.0.2.1:4711", "[2001:db8::1]:4711", "[2001:db8::1]".
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](:\d+)?|(?P<v4>[\d.]+):\d+")
# An internet provider assigns at least a /64 to a customer, whose devices change addresses within it.
IPV6_PREFIX = 64


def client_of(remote_addr: str, forwarded_for: str, proxies: int) -> str:
    """Return an IPv4 address, the /64 of an IPv6 address, or "".

    `proxies` is the number of trusted proxies. Each has appended its client to `forwarded_for`; what is further to the
    left may be forged. `remote_addr` is the nearest proxy, or the client.
    """
    trusted = forwarded_for.rsplit(",", proxies)[-proxies:] if proxies else [""]
    return _counted(trusted[0]) or _counted(remote_addr)


def _counted(text: str) -> str:
    address = _address(text.strip())
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address), IPV6_PREFIX), strict=False))
    return str(address) if address else ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if found := _WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"]
    try:
        return ip_address(text)
    except ValueError:
        return None
