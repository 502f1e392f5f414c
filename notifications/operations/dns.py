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

# For all questions together.
WITHIN_S = 4.0


class NoDnsError(Exception):
    """The DNS could not be asked, or did not answer in time."""


@dataclass(frozen=True)
class Dns:
    """Asks until `until` (monotonic seconds), not longer."""

    resolver: Resolver
    until: float

    def texts(self, name: str) -> list[str]:
        """Return the TXT records at `name`, following CNAMEs. Raises NoDnsError."""
        answer = self._ask(name, "TXT")
        return [b"".join(record.strings).decode("ascii", "replace") for record in answer or []]

    def require_the_world(self, name: str) -> None:
        """Raise NoDnsError if even the top-level domain of `name` is unknown.

        Behind a closed network a resolver may say that of every name.
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
            # No server, none that answers, or none that can.
            raise NoDnsError from None


def check_dns(
    domain: str,
    provider: str,
    dkim_names: Sequence[str] = (),
    *,
    resolver: Resolver | None = None,
    within_s: float | None = None,
) -> list[Finding]:
    """Judge the DNS for email from `domain` by `provider`, within `within_s` or WITHIN_S.

    `dkim_names` are the names of the provider's keys, as far as known. Without an answer, one note replaces the unknown
    findings.
    """
    found: list[Finding] = []
    try:
        dns = Dns(resolver or Resolver(), time.monotonic() + (WITHIN_S if within_s is None else within_s))
        for finding in _all(dns, domain, provider, dkim_names):
            found.append(finding)  # noqa: PERF402 - what was found before the DNS fell silent counts
    except (NoDnsError, exception.DNSException, OSError):
        found.append(
            note("DNS", "no-answer", "DNS could not be asked; what is missing here of SPF, DKIM and DMARC is not known")
        )
    return found


def _all(dns: Dns, domain: str, provider: str, dkim_names: Sequence[str]) -> Iterator[Finding]:
    dns.require_the_world(domain)
    account = account_of(provider)
    yield spf.check_spf(domain, provider, account.spf_include if account else "", dns.texts)
    yield _dkim(dns, domain, provider, dkim_names)
    yield _dmarc(dns, domain)


def _dkim(dns: Dns, domain: str, provider: str, names: Sequence[str]) -> Finding:
    if names:
        missing = [name for name in names if not _has_key(dns.texts(name))]
        if missing:
            return bad(
                "DKIM", "no-key", f"no key at {', '.join(missing)}", "Publish the records that the provider shows."
            )
        return good("DKIM", "published", f"{len(names)} keys are published")
    account = account_of(provider)
    selectors = account.usual_selectors if account else ()
    usual = [f"{selector}._domainkey.{domain}" for selector in selectors]
    if any(_has_key(dns.texts(name)) for name in usual):
        return good("DKIM", "usual-place", f"there is a key at a usual place of {provider}'s")
    return note(
        "DKIM", "unknown-place", f"it is not known where the keys for {domain} are", "Look at the provider's pages."
    )


def _has_key(texts: Sequence[str]) -> bool:
    # An empty record is a withdrawn key (RFC 6376, section 3.6.1).
    return any(_tags(text).get("p") for text in texts)


def _dmarc(dns: Dns, domain: str) -> Finding:
    # A domain without a record is under that of the next one above (RFC 7489, section 6.6.3).
    for name in with_parents(domain):
        records = [text for text in dns.texts(f"_dmarc.{name}") if text.replace(" ", "").startswith("v=DMARC1")]
        if records:
            return dmarc(name, records, inherited=name != domain)
    hint = f'Publish "v=DMARC1; p=none; rua=mailto:…" at _dmarc.{domain}: Gmail, Yahoo and Microsoft ask for one.'
    return bad("DMARC", "no-record", f"{domain} has no record", hint)


def dmarc(name: str, records: Sequence[str], *, inherited: bool) -> Finding:
    # `name` may be above the sender's domain.
    if len(records) > 1:
        return bad(
            "DMARC",
            "several-records",
            f"_dmarc.{name} has {len(records)} records, and receivers then use none",
            "Keep one.",
        )
    tags = _tags(records[0])
    policy = (tags.get("sp") or tags.get("p") if inherited else tags.get("p")) or ""
    if policy.lower() in {"quarantine", "reject"}:
        return good("DMARC", "enforced", f"the policy of {name} is {policy.lower()}")
    if policy.lower() == "none":
        hint = "Read its reports for some weeks, then go on to p=quarantine."
        return note("DMARC", "only-reported", f"the policy of {name} is none: forged mail is only reported", hint)
    return bad(
        "DMARC",
        "no-policy",
        f"the record at _dmarc.{name} has no policy that is one",
        "It needs p=none, quarantine or reject.",
    )


def _tags(record: str) -> dict[str, str]:
    # A record of DKIM or DMARC: "v=DMARC1; p=none".
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
