"""Check SPF, DKIM and DMARC of the sender's domain, as receiving servers evaluate them."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dns import exception
from dns.resolver import NXDOMAIN, Answer, NoAnswer, Resolver

from notifications.operations import spf
from notifications.providers.base.account import Finding, bad, good, note
from notifications.providers.base.sender import with_parents
from notifications.providers.registry import account_of

# For all queries together.
WITHIN_S = 4.0


class NoDnsError(Exception):
    """The DNS did not answer, or not in time."""


@dataclass(frozen=True)
class Dns:
    """Queries the DNS until `until` (monotonic seconds)."""

    resolver: Resolver
    until: float

    def texts(self, name: str) -> list[str]:
        """Return the TXT records at `name`, following CNAMEs. Raises NoDnsError."""
        answer = self._ask(name, "TXT")
        return [b"".join(record.strings).decode("ascii", "replace") for record in answer or []]

    def require_top_level_domain(self, name: str) -> None:
        """Raise NoDnsError if even the top-level domain of `name` is unknown.

        In a closed network, a resolver may report this for every name.
        """
        if self._ask(name.rpartition(".")[2], "NS") is None:
            raise NoDnsError

    def _ask(self, name: str, kind: str) -> Answer | None:
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise NoDnsError
        try:
            return self.resolver.resolve(f"{name}.", kind, lifetime=left_s, search=False)
        except (NXDOMAIN, NoAnswer):
            return None
        except (exception.DNSException, OSError):
            raise NoDnsError from None


def check_dns(
    domain: str,
    provider: str,
    dkim_names: Sequence[str] = (),
    *,
    resolver: Resolver | None = None,
    within_s: float | None = None,
) -> list[Finding]:
    """Check the DNS for email from `domain` through `provider`, within `within_s` or WITHIN_S.

    `dkim_names` are the known names of the provider's keys. If the DNS does not answer, one note replaces the unknown
    findings.
    """
    found: list[Finding] = []
    try:
        dns = Dns(resolver or Resolver(), time.monotonic() + (WITHIN_S if within_s is None else within_s))
        for finding in _all(dns, domain, provider, dkim_names):
            found.append(finding)  # noqa: PERF402 - keeps the findings from before a DNS failure
    except (NoDnsError, exception.DNSException, OSError):
        found.append(
            note("DNS", "no-answer", "the DNS did not answer; the missing results for SPF, DKIM and DMARC are unknown")
        )
    return found


def _all(dns: Dns, domain: str, provider: str, dkim_names: Sequence[str]) -> Iterator[Finding]:
    dns.require_top_level_domain(domain)
    account = account_of(provider)
    yield spf.check_spf(domain, provider, account.spf_include if account else "", dns.texts)
    yield _dkim(dns, domain, provider, dkim_names)
    yield _dmarc(dns, domain)


def _dkim(dns: Dns, domain: str, provider: str, names: Sequence[str]) -> Finding:
    if names:
        missing = [name for name in names if not _has_key(dns.texts(name))]
        if missing:
            return bad(
                "DKIM", "no-key", f"no key at {', '.join(missing)}", "Publish the DNS records that the provider shows."
            )
        return good("DKIM", "published", f"{len(names)} keys published")
    account = account_of(provider)
    selectors = account.usual_selectors if account else ()
    usual = [f"{selector}._domainkey.{domain}" for selector in selectors]
    if any(_has_key(dns.texts(name)) for name in usual):
        return good("DKIM", "usual-place", f"found a key at a default name of {provider}")
    return note(
        "DKIM",
        "unknown-place",
        f"the names of the keys for {domain} are unknown",
        "Check them on the provider's website.",
    )


def _has_key(texts: Sequence[str]) -> bool:
    # An empty record is a withdrawn key (RFC 6376, section 3.6.1).
    return any(_tags(text).get("p") for text in texts)


def _dmarc(dns: Dns, domain: str) -> Finding:
    # A domain without a record inherits that of its parent (RFC 7489, section 6.6.3).
    for name in with_parents(domain):
        records = [text for text in dns.texts(f"_dmarc.{name}") if text.replace(" ", "").startswith("v=DMARC1")]
        if records:
            return dmarc(name, records, inherited=name != domain)
    hint = f'Publish "v=DMARC1; p=none; rua=mailto:…" at _dmarc.{domain}: Gmail, Yahoo and Microsoft require one.'
    return bad("DMARC", "no-record", f"{domain} has no record", hint)


def dmarc(name: str, records: Sequence[str], *, inherited: bool) -> Finding:
    # `name` may be above the sender's domain.
    if len(records) > 1:
        return bad(
            "DMARC",
            "several-records",
            f"_dmarc.{name} has {len(records)} records, so receivers ignore them",
            "Keep only one.",
        )
    tags = _tags(records[0])
    policy = (tags.get("sp") or tags.get("p") if inherited else tags.get("p")) or ""
    if policy.lower() in {"quarantine", "reject"}:
        return good("DMARC", "enforced", f"the policy of {name} is {policy.lower()}")
    if policy.lower() == "none":
        hint = "Read its reports for a few weeks, then switch to p=quarantine."
        return note("DMARC", "only-reported", f"the policy of {name} is none: forged email is only reported", hint)
    return bad(
        "DMARC",
        "no-policy",
        f"the record at _dmarc.{name} has no valid policy",
        "Set p=none, p=quarantine or p=reject.",
    )


def _tags(record: str) -> dict[str, str]:
    # A record of DKIM or DMARC: "v=DMARC1; p=none".
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
