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


def post(body="{}", **changes):
    headers = {"Authorization": "Bearer key", "Content-Type": "application/json"}
    return requests.Request(**{"method": "POST", "url": API, "headers": headers, "data": body, **changes})


def shape(prepared):
    return prepared.method, prepared.url, dict(prepared.headers), prepared.body


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "grüße"},
        {"data": b"bytes"},
        {"data": {"a": "b"}},
        {"data": ""},
        {"json": {}},
        {"url": f"{API}/batch"},
        {"method": "PUT"},
        {"params": {"a": "b"}},
        {"cookies": {"a": "b"}},
        {"headers": {"Authorization": "Bearer another"}},
    ],
)
def test_request_is_the_same_as_that_of_requests(changes):
    http, plain = session(), requests.Session()
    for request in (post("first"), post(**changes), post("last")):
        assert shape(http.prepare_request(request)) == shape(plain.prepare_request(request))


def test_address_and_headers_are_prepared_once(monkeypatch):
    http = session()
    first = http.prepare_request(post("first"))
    monkeypatch.delattr(requests.Session, "prepare_request")
    second = http.prepare_request(post("another"))
    assert (first.body, second.body, second.headers["Content-Length"]) == ("first", "another", "7")


def test_changes_of_the_session_apply_to_its_next_request():
    http = session()
    http.prepare_request(post())
    http.headers["User-Agent"] = "another"
    http.hooks["response"].append(print)
    http.cookies.set("route", "7")
    prepared = http.prepare_request(post())
    assert (prepared.headers["User-Agent"], prepared.headers["Cookie"]) == ("another", "route=7")
    assert prepared.hooks["response"] == [print]


def test_pool_is_chosen_once_for_an_address_and_its_settings(monkeypatch):
    http = session()
    adapter = http.get_adapter(API)

    def pool(url=API, verify=True, proxies=None):
        return adapter.get_connection_with_tls_context(http.prepare_request(post(url=url)), verify, proxies=proxies)

    direct = pool()
    others = [pool(url=INTERNAL), pool(verify=False), pool(proxies={"https": PROXY}), direct]
    assert len({id(one) for one in others}) == len(others)
    assert pool() is direct
    monkeypatch.delattr(requests.adapters.HTTPAdapter, "get_connection_with_tls_context")
    assert pool() is direct
    http.close()
    with pytest.raises(AttributeError):
        pool()


def test_requests_asks_the_adapter_for_its_pool(monkeypatch):
    # If it stops, the pools are chosen for each request again.
    asked = []
    http = session()
    monkeypatch.setattr(type(http.get_adapter(API)), "get_connection_with_tls_context", lambda *_, **__: asked.pop())
    with pytest.raises(IndexError):
        http.request("POST", API, data="{}")
