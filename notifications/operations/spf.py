"""Evaluate SPF as receiving servers do (RFC 7208): includes, `redirect=`, at most ten lookups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from notifications.providers.base.account import Finding, bad, good, note

MOST_LOOKUPS = 10
LOOKING_UP = {"a", "mx", "ptr", "exists", "include", "redirect"}
Texts = Callable[[str], list[str]]


class BrokenSpfError(Exception):
    """Receivers reject this record. The text is the reason."""


@dataclass
class Walk:
    """Follow a domain's records as a receiver does.

    `texts` queries the DNS; `trusted` is the domain of the provider's own record.
    """

    texts: Texts
    trusted: str = ""
    lookups: int = 0
    included: set[str] = field(default_factory=set)

    def follow(self, domain: str, record: str) -> None:
        """Count the lookups of a record and of those that it includes. Raises BrokenSpfError."""
        terms = list(_terms(record))
        has_all = any(name == "all" for name, _ in terms)
        for name, value in terms:
            # Terms after "all" are never reached.
            if name not in LOOKING_UP or (name == "redirect" and has_all):
                continue
            self._count(domain)
            if name in {"include", "redirect"}:
                self._enter(name, value, is_only_one=len(terms) == 1 + has_all)

    def _count(self, domain: str) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise BrokenSpfError(f"the record of {domain} needs more than {MOST_LOOKUPS} lookups")

    def _enter(self, way: str, domain: str, *, is_only_one: bool) -> None:
        self.included.add(domain)
        # The provider's record alone needs no query.
        if "%" in domain or (is_only_one and domain == self.trusted):
            return
        records = spf_records(self.texts(domain))
        if len(records) > 1 or (way == "redirect" and not records):
            raise BrokenSpfError(f"{domain}, which it includes, has {len(records) or 'no'} records")
        for record in records:
            self.follow(domain, record)


def check_spf(domain: str, provider: str, include: str, texts: Texts) -> Finding:
    # `include` is what the provider requires, or "".
    records = spf_records(texts(domain))
    if len(records) > 1:
        text = f"{domain} has {len(records)} records, so receivers ignore them"
        return bad("SPF", "several-records", text, "Merge them into one record.")
    if not records:
        return _without_record(domain, provider, include)
    walk = Walk(texts, trusted=include)
    try:
        walk.follow(domain, records[0])
    except BrokenSpfError as error:
        hint = (
            "Receivers treat it as invalid. Remove senders that you no longer use, or replace includes with addresses."
        )
        return bad("SPF", "broken", str(error), hint)
    if not include:
        return good("SPF", "own-record", records[0])
    if include in walk.included:
        return good("SPF", "included", f"{domain} includes {include}")
    hint = f"Fine if the return path is a domain of {provider}. Otherwise add include:{include}."
    return note("SPF", "not-included", f"{domain} does not include {include}", hint)


def spf_records(texts: list[str]) -> list[str]:
    return [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]


def _without_record(domain: str, provider: str, include: str) -> Finding:
    if not include:
        hint = f'Publish the servers that send for {domain}, for example "v=spf1 a:mail.{domain} -all".'
        return bad("SPF", "no-record", f"{domain} has no record", hint)
    hint = f'Publish "v=spf1 include:{include} ~all" at {domain}: some receivers check it.'
    return note("SPF", "own-return-path", f"{domain} has no record; {provider} passes with its return path", hint)


def _terms(record: str) -> Iterator[tuple[str, str]]:
    # Name and value: "+include:a.example", "redirect=b.example", "a/24".
    for term in record.lower().split()[1:]:
        bare = term.lstrip("+-~?")
        for separator in ("=", ":", "/"):
            name, found, value = bare.partition(separator)
            if found and name.isalnum():
                yield name, value.rstrip(".")
                break
        else:
            yield bare, ""
