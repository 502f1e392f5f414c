"""The clients' own log: who was told what."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from devtools.chaos.workload import RESET_EVERY, Load, Word

FORM = b'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="token"></form>'
LED_TO = {
    "/sign-up/": "/check-inbox/",
    "/password-reset/": "/password-reset/done/",
    "/password-reset/link/": "/password-reset/complete/",
}


@pytest.fixture
def site():
    """A site that answers every POST with `server.status`; None: it closes the connection instead."""

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
    ("status", "word"), [(302, Word.DONE), (503, Word.REFUSED), (500, Word.UNCLEAN), (None, Word.UNKNOWN)]
)
def test_everybody_is_written_down_with_what_they_were_told(site, tmp_path, status, word):
    site.status = status
    load = Load(f"http://127.0.0.1:{site.server_address[1]}", tmp_path / "clients.jsonl")
    load.start(people=6, rate=200)
    load.wait()
    resets = 6 // RESET_EVERY if word is Word.DONE else 0
    assert load.count(word) == len(load.said) == 6 + resets
    assert {said.address for said in load.said} == {f"person{number}@example.com" for number in range(6)}
    assert sum(said.kind == "password-reset" for said in load.said) == resets
    lines = [json.loads(line) for line in (tmp_path / "clients.jsonl").read_text().splitlines()]
    assert [(line["address"], line["word"]) for line in lines] == [(said.address, word.value) for said in load.said]


def test_link_that_saves_two_passwords_is_written_down(site, tmp_path):
    site.status = 302
    url = f"http://127.0.0.1:{site.server_address[1]}"
    load = Load(url, tmp_path / "clients.jsonl", lambda address: f"{url}/password-reset/link/")
    load.start(people=1, rate=200)
    load.wait()
    assert [(said.kind, said.word) for said in load.said][2:] == [("password-changed", Word.TWICE)]


def test_nobody_is_let_in_after_the_stop(site, tmp_path):
    site.status = 302
    load = Load(f"http://127.0.0.1:{site.server_address[1]}", tmp_path / "clients.jsonl")
    load.start(people=1000, rate=1)
    load.stop()
    load.wait()
    assert len(load.said) < 1000
