"""Probes are answered for any host; other pages only for ALLOWED_HOSTS."""

import logging

import pytest

HOSTS = ["10.1.2.3", "10.1.2.3:8000", "[::1]", "other.example", "not a host", ""]


@pytest.mark.django_db
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready"])
def test_probe_is_answered_for_any_host(client, settings, caplog, path, host):
    settings.ALLOWED_HOSTS = ["mail.example.com"]
    with caplog.at_level(logging.WARNING):
        answer = client.get(path, headers={"host": host})
    assert answer.status_code == 200
    assert caplog.records == []


@pytest.mark.django_db
def test_probe_is_answered_over_http(client, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["mail.example.com"], True
    assert client.get("/healthz/ready", headers={"host": "10.1.2.3"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz/", "/healthz/live/x", "/webhooks/ses/"])
def test_other_pages_answer_to_their_hosts_only(client, settings, caplog, path):
    settings.ALLOWED_HOSTS = ["mail.example.com"]
    with caplog.at_level(logging.WARNING):
        assert client.get(path, headers={"host": "10.1.2.3"}).status_code == 400
    assert not any(record.exc_info for record in caplog.records if record.name == "django.security.DisallowedHost")
