"""`make bench-inbox`: measure how soon after the provider's answer the waiting page shows that an email was sent.

Uses Debian's Chromium and starts a stack with the shipped settings; the provider takes 2 s.
"""

import os
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from devtools.benchmarks.screenshots import CHROMIUM
from devtools.stack.console import say
from devtools.stack.ports import free_port
from devtools.stack.simulated import Simulated
from devtools.stack.site_client import PASSWORD
from devtools.stack.stack import Ports, Stack

SIGN_UPS = 20
STEP = ".steps li.done:nth-child(2)"


def main() -> int:
    if not CHROMIUM.exists():
        sys.stderr.write("No Chromium at /usr/bin/chromium: apt install chromium\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), Ports(web=free_port(), flower=free_port(), simulator=free_port()), {**os.environ})
        with stack.running(lambda text: print(text, file=sys.stderr)), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
            )
            delays = sorted(
                delay_ms(stack, browser.new_context().new_page(), f"waits{number}@example.com")
                for number in range(SIGN_UPS)
            )
    say(f"inbox: sign_ups={SIGN_UPS} p50_ms={statistics.median(delays):.0f} max_ms={delays[-1]:.0f}")
    return 0


def delay_ms(stack: Stack, page: Page, address: str) -> float:
    page.goto(f"{stack.site_url}/sign-up/")
    page.fill("[name=email]", address)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_selector(STEP)
    seen_at = time.time()
    (entry,) = Simulated(stack.simulator_url, stack.folder / "simulator").messages(to=address)
    page.context.close()
    return (seen_at - datetime.fromisoformat(entry["accepted_at"]).timestamp()) * 1000


if __name__ == "__main__":
    sys.exit(main())
