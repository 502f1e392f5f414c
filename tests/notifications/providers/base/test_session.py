"""What an HTTP session takes from the environment, and when."""

import pytest
import requests

from notifications.providers.base.http import session

PROXY = "http://proxy.example.com:3128"
API, INTERNAL = "https://api.example.com/send", "https://internal.example.com/send"


@pytest.fixture(autouse=True)
def proxied(monkeypatch):
    for name in ("HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "internal.example.com")


def proxies(http, url):
    return http.merge_environment_settings(url, {}, None, None, None)["proxies"].get("https")


def test_proxy_is_chosen_by_host():
    http = session()
    assert [proxies(http, url) for url in (API, INTERNAL, API)] == [PROXY, None, PROXY]


def test_environment_is_read_once_for_a_host(monkeypatch):
    http = session()
    before = proxies(http, API)
    monkeypatch.setenv("HTTPS_PROXY", "http://another.example.com:3128")
    assert proxies(http, API) == before != proxies(session(), API)


def test_netrc_does_not_replace_the_credentials(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    request = requests.Request("POST", API, headers={"Authorization": "Bearer key"})
    assert requests.Session().prepare_request(request).headers["Authorization"] != "Bearer key"
    assert session().prepare_request(request).headers["Authorization"] == "Bearer key"
