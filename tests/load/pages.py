"""When a registration page shows its largest part on a slow phone with nothing in its cache."""

from __future__ import annotations

import time

from playwright.sync_api import Browser, sync_playwright

from tests.browser import SWITCHES
from tests.e2e.field import Field
from tests.lanes import find_chromium
from tests.load.wire import Sample

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
# What Lighthouse calls "slow 4G", with a processor four times slower than this one.
SLOW_NETWORK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
SLOWER = 4
LARGEST = """() => new Promise((done) => {
  let last = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) last = one.startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => done(last), 300);
})"""


def paint(field: Field, times: int = 10) -> Sample:
    """Open the link of an invitation so many times; each latency is that of the largest paint."""
    _person, invitation = field.newcomer()
    begun = time.monotonic()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=SWITCHES)
        found = [_largest(chromium, invitation.link) for _ in range(times)]
        chromium.close()
    return Sample(sorted(found), time.monotonic() - begun)


def _largest(chromium: Browser, link: str) -> float:
    context = chromium.new_context(user_agent=IPHONE, viewport={"width": 390, "height": 844})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(link, wait_until="networkidle")
    milliseconds = float(page.evaluate(LARGEST))
    context.close()
    if not milliseconds:
        raise RuntimeError("the page told of no paint")
    return milliseconds / 1000
