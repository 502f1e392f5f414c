"""The clients' log: each request and its answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from devtools.chaos.workload import RESET_EVERY, Result, Workload

FORM = b'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="token"></form>'
LED_TO = {
    "/sign-up/": "/check-inbox/",
    "/password-reset/": "/password-reset/done/",
    "/password-reset/link/": "/password-reset/complete/",
}


@pytest.fixture
def site():
    """A site that answers every POST with `server.status`, or disconnects for None."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(200, FORM)

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if server.status:
                self.answer(server.status, b"x", Location=LED_TO[self.path])

        def answer(self, status, body, **headers):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("status", "result"),
    [(302, Result.ACKNOWLEDGED), (503, Result.REJECTED), (500, Result.UNEXPECTED), (None, Result.UNKNOWN)],
)
def test_each_request_is_logged_with_its_result(site, tmp_path, status, result):
    site.status = status
    workload = Workload(f"http://127.0.0.1:{site.server_address[1]}", tmp_path / "clients.jsonl")
    workload.start(people=6, rate=200)
    workload.wait()
    resets = 6 // RESET_EVERY if result is Result.ACKNOWLEDGED else 0
    assert workload.count(result) == len(workload.operations) == 6 + resets
    assert {operation.address for operation in workload.operations} == {
        f"person{number}@example.com" for number in range(6)
    }
    assert sum(operation.kind == "password-reset" for operation in workload.operations) == resets
    lines = [json.loads(line) for line in (tmp_path / "clients.jsonl").read_text().splitlines()]
    assert [(line["address"], line["result"]) for line in lines] == [
        (operation.address, result.value) for operation in workload.operations
    ]


def test_link_that_saves_two_passwords_is_logged(site, tmp_path):
    site.status = 302
    url = f"http://127.0.0.1:{site.server_address[1]}"
    workload = Workload(url, tmp_path / "clients.jsonl", lambda address: f"{url}/password-reset/link/")
    workload.start(people=1, rate=200)
    workload.wait()
    assert [(operation.kind, operation.result) for operation in workload.operations][2:] == [
        ("password-changed", Result.SAVED_TWICE)
    ]


def test_no_one_signs_up_after_the_stop(site, tmp_path):
    site.status = 302
    workload = Workload(f"http://127.0.0.1:{site.server_address[1]}", tmp_path / "clients.jsonl")
    workload.start(people=1000, rate=1)
    workload.stop()
    workload.wait()
    assert len(workload.operations) < 1000
