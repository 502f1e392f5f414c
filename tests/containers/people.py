"""Sign people up through the proxy, each from another address, until SIGTERM; log a line of JSON for each.

A program, because it has to run in the engine's network.
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

from devtools.chaos.workload import MOST_CLIENTS, Operation, Result
from devtools.stack.site_client import RejectedError, SiteClient

# Responses of a proxy or a site that is being stopped.
REFUSALS = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
# A forged header: if the site trusted it, all people would count as one client.
FORGED = {"X-Forwarded-For": "198.51.100.7"}


class FromAddress(HTTPAdapter):
    """Connects from a loopback address, so that each person is a separate client."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


def sign_up(site_url: str, ca_file: str, number: int) -> Operation:
    person = SiteClient(site_url)
    person.http.verify = ca_file
    person.http.headers.update(FORGED)
    source = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
    person.http.mount("https://", FromAddress(source))
    address, began = f"person-{number}-{random.randrange(10**9)}@people.example", time.time()
    result, status = Result.ACKNOWLEDGED, int(HTTPStatus.FOUND)
    try:
        person.sign_up(address)
    except RejectedError as error:
        status = error.answer.status
        result = Result.REJECTED if status in REFUSALS else Result.UNEXPECTED
    except requests.RequestException:
        result, status = Result.UNKNOWN, 0
    at = time.time()
    return Operation(at=at, kind="welcome", address=address, result=result, status=status, took_s=at - began)


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
        operation = sign_up(options.site, options.ca, number)
        with writing, options.log.open("a") as log:
            log.write(json.dumps(asdict(operation)) + "\n")

    with ThreadPoolExecutor(MOST_CLIENTS) as clients:
        number = 0
        while not stop.wait(1 / options.rate):
            clients.submit(come, number)
            number += 1


if __name__ == "__main__":
    main()
