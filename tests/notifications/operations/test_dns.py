"""SPF, DKIM and DMARC, checked with a real DNS server on loopback."""

import time

import pytest
from dns.resolver import NoResolverConfiguration, Resolver

from notifications.operations import dns

KEY = "v=DKIM1; k=rsa; p=" + "A" * 300
SPF = "v=spf1 include:amazonses.com ~all"
DMARC = "v=DMARC1; p=reject; rua=mailto:a@example.com"
COMPLETE = {"example.com": ["unrelated", SPF], "one._domainkey.example.com": [KEY], "_dmarc.example.com": [DMARC]}


def look(server, provider="ses", names=("one._domainkey.example.com",), domain="example.com"):
    found = dns.check_dns(domain, provider, names, resolver=server.resolver(), within_s=60)
    return {finding.subject: finding for finding in found}


def test_complete_records_are_ok(server):
    server.records = COMPLETE
    found = look(server)
    assert {subject: finding.level.value for subject, finding in found.items()} == {
        "SPF": "ok",
        "DKIM": "ok",
        "DMARC": "ok",
    }
    assert server.asked == ["com", "example.com", "one._domainkey.example.com", "_dmarc.example.com"]


@pytest.mark.parametrize(
    ("texts", "provider", "level", "code"),
    [
        ([], "ses", "note", "own-return-path"),
        ([], "smtp", "bad", "no-record"),
        (["v=spf10 include:amazonses.com"], "ses", "note", "own-return-path"),
        ([SPF, "v=spf1 -all"], "ses", "bad", "several-records"),
        (["v=spf1 -all"], "ses", "note", "not-included"),
        (["v=spf1 include:notamazonses.com -all"], "ses", "note", "not-included"),
        (["V=SPF1 +Include:SendGrid.net -all"], "sendgrid", "ok", "included"),
        (["v=spf1 include:spf.mtasv.net -all"], "postmark", "ok", "included"),
        (["v=spf1 a -all"], "smtp", "ok", "own-record"),
    ],
)
def test_spf_is_checked(server, texts, provider, level, code):
    server.records = {"example.com": texts}
    found = look(server, provider)["SPF"]
    assert (found.level.value, found.code) == (level, code), found
    assert level == "ok" or found.hint


def many(count):
    return {f"n{number}.example.net": ["v=spf1 ip4:192.0.2.1 -all"] for number in range(count)}


def including(count):
    return " ".join(f"include:n{number}.example.net" for number in range(count))


@pytest.mark.parametrize(
    ("record", "others", "level"),
    [
        ("v=spf1 redirect=amazonses.com", {}, "ok"),
        ("v=spf1 redirect=_spf.example.com", {"_spf.example.com": [SPF]}, "ok"),
        ("v=spf1 include:_spf.example.com -all", {"_spf.example.com": [SPF]}, "ok"),
        ("v=spf1 include:_spf.example.com. -all", {"_spf.example.com": ["v=spf1 a -all"]}, "note"),
        # Terms after "all" are ignored.
        ("v=spf1 -all redirect=_spf.example.com", {"_spf.example.com": [SPF]}, "note"),
        ("v=spf1 redirect=_spf.example.com", {}, "bad"),
        ("v=spf1 include:_spf.example.com -all", {"_spf.example.com": [SPF, "v=spf1 a -all"]}, "bad"),
        ("v=spf1 redirect=example.com", {}, "bad"),
        (f"v=spf1 include:amazonses.com {including(9)} -all", many(9), "ok"),
        (f"v=spf1 include:amazonses.com {including(10)} -all", many(10), "bad"),
        ("v=spf1 include:amazonses.com a mx a:b.example mx:c.example/24 exists:d.example ptr a a a a -all", {}, "bad"),
        ("v=spf1 include:%{d}.example.net include:amazonses.com -all", {}, "ok"),
    ],
)
def test_spf_is_evaluated_as_receivers_do(server, record, others, level):
    server.records = {"example.com": [record], "amazonses.com": ["v=spf1 ip4:192.0.2.1 -all"], **others}
    assert look(server)["SPF"].level.value == level


@pytest.mark.parametrize(
    ("records", "level", "code"),
    [
        ({"_dmarc.shop.example.com": [DMARC]}, "ok", "enforced"),
        ({"_dmarc.example.com": ["v=DMARC1; p=none"]}, "note", "only-reported"),
        ({"_dmarc.example.com": ["v = DMARC1; p=reject; sp=none"]}, "note", "only-reported"),
        ({"_dmarc.example.com": ["v=DMARC1; p=none; sp=quarantine"]}, "ok", "enforced"),
        ({"_dmarc.example.com": ["v=DMARC1; rua=mailto:a@example.com"]}, "bad", "no-policy"),
        ({"_dmarc.example.com": ["v=DMARC1; p=perhaps"]}, "bad", "no-policy"),
        ({"_dmarc.example.com": [DMARC, "v=DMARC1; p=none"]}, "bad", "several-records"),
        ({"_dmarc.example.com": ["something else"]}, "bad", "no-record"),
        ({"_dmarc.com": [DMARC]}, "bad", "no-record"),
    ],
)
def test_dmarc_is_checked_in_parent_domains_too(server, records, level, code):
    server.records = records
    found = look(server, domain="shop.example.com")["DMARC"]
    assert (found.level.value, found.code) == (level, code), found
    assert level == "ok" or found.hint


@pytest.mark.parametrize(
    ("provider", "names", "records", "level", "code"),
    [
        ("ses", ["a.example.com", "b.example.com"], {"a.example.com": [KEY]}, "bad", "no-key"),
        ("ses", ["a.example.com"], {"a.example.com": ["v=DKIM1; p="]}, "bad", "no-key"),
        ("ses", [], {}, "note", "unknown-place"),
        ("sendgrid", [], {"s2._domainkey.example.com": [KEY]}, "ok", "usual-place"),
        ("sendgrid", [], {}, "note", "unknown-place"),
        ("postmark", [], {}, "note", "unknown-place"),
    ],
)
def test_dkim_is_checked_at_its_names(server, provider, names, records, level, code):
    server.records = records
    found = look(server, provider, names)["DKIM"]
    assert (found.level.value, found.code) == (level, code), found


def test_server_that_never_answers_leaves_one_note(server):
    server.deaf = True
    found = dns.check_dns("example.com", "ses", [], resolver=server.resolver(), within_s=0.3)
    assert [(finding.subject, finding.level.value, finding.code) for finding in found] == [("DNS", "note", "no-answer")]


def test_broken_server_leaves_one_note(server):
    server.broken = True
    assert list(look(server)) == ["DNS"]


def test_closed_network_leaves_one_note(server):
    server.closed = True
    assert list(look(server)) == ["DNS"]
    assert server.asked == ["com"]


def test_findings_before_a_failure_count(server):
    server.records = COMPLETE

    def fall_silent(packet):
        reply = answer(packet)
        server.deaf = "example.com" in server.asked
        return reply

    answer, server.answer = server.answer, fall_silent
    found = dns.check_dns("example.com", "ses", ["one._domainkey.example.com"], resolver=server.resolver(), within_s=1)
    assert [finding.subject for finding in found] == ["SPF", "DNS"]


def test_time_for_all_queries_is_limited(server):
    server.records = COMPLETE
    with pytest.raises(dns.NoDnsError):
        dns.Dns(server.resolver(), time.monotonic() - 1).texts("example.com")
    assert server.asked == []


def test_machine_without_a_resolver_leaves_one_note(monkeypatch):
    def unconfigured(self):
        raise NoResolverConfiguration

    monkeypatch.setattr(Resolver, "__init__", unconfigured)
    assert [finding.subject for finding in dns.check_dns("example.com", "ses")] == ["DNS"]
