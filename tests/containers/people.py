"""People sign up through the proxy, each from an address of their own, until SIGTERM; a line of JSON for each.

Run as a program, because it has to live in the network of the engine.
"""

import argparse
import json
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from devtools.stack.site_client import RejectedError, SiteClient
from tests.containers.verdict import Told, Word

HANDS = 32
# What a proxy or a site answers that is stopped just then.
REFUSALS = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
# Forged: a site that believed it would take all people for one.
FORGED = {"X-Forwarded-For": "198.51.100.7"}


class FromAddress(HTTPAdapter):
    """Connects from a loopback address, so that each person is a client of their own."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


def sign_up(site_url: str, ca_file: str, number: int) -> Told:
    person = SiteClient(site_url)
    person.http.verify = ca_file
    person.http.headers.update(FORGED)
    source = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
    person.http.mount("https://", FromAddress(source))
    address, began = f"person-{number}-{random.randrange(10**9)}@people.example", time.time()
    word, status = Word.DONE, int(HTTPStatus.FOUND)
    try:
        person.sign_up(address)
    except RejectedError as error:
        status = error.answer.status
        word = Word.REFUSED if status in REFUSALS else Word.UNCLEAN
    except requests.RequestException:
        word, status = Word.UNKNOWN, 0
    return Told(address=address, word=word, status=status, at=began, took_s=time.time() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--site", required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--rate", type=float, required=True)
    options = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    writing = threading.Lock()

    def come(number: int) -> None:
        told = sign_up(options.site, options.ca, number)
        with writing, options.log.open("a") as log:
            log.write(json.dumps(asdict(told)) + "\n")

    with ThreadPoolExecutor(HANDS) as hands:
        number = 0
        while not stop.wait(1 / options.rate):
            hands.submit(come, number)
            number += 1


if __name__ == "__main__":
    main()
