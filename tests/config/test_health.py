import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse


@pytest.mark.django_db
def test_probes(client):
    assert client.get("/healthz/live").content == b"ok\n"
    assert client.get("/healthz/ready").content == b"ok\n"


def test_live_does_not_query_the_database(client):
    assert client.get("/healthz/live").status_code == 200


@pytest.mark.django_db
def test_ready_reports_a_database_outage(client, monkeypatch):
    monkeypatch.setattr(connection, "cursor", _away)
    assert client.get("/healthz/ready").status_code == 503


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (RuntimeError, 500)])
def test_error_page_reveals_nothing(monkeypatch, error, status):
    client = Client(raise_request_exception=False)
    monkeypatch.setattr("accounts.flows.sign_up.sign_up", _raise(error))
    fields = {"email": "ada@example.com", "password": "correct horse battery"}
    page = client.post(reverse("accounts:sign-up"), fields)
    assert page.status_code == status
    assert "secret" not in page.content.decode()
    assert ("Retry-After" in page.headers) is (status == 503)


@pytest.mark.django_db
def test_missing_page_reveals_nothing(client):
    page = client.get("/no/such/page")
    assert page.status_code == 404
    assert 'data-page="404"' in page.content.decode()


def _away(*args):
    raise OperationalError("away")


def _raise(error):
    def sign_up(*args, **options):
        raise error("a secret of ours")

    return sign_up
