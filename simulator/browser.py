"""A small browser: cookies, redirects, forms. Of scripts it knows only the touch points."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

import httpx2

from . import page as pages
from .errors import PageRefused, SimulatorError
from .page import Form, Page
from .wire import IMPATIENT, Patience

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
USER_AGENTS = {
    "iPhone": f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} "
    "Version/26.1 Mobile/15E148 Safari/604.1",
    # iPadOS asks for desktop sites and is told apart from a Mac by touch only
    "iPad": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} "
    "Version/26.1 Safari/605.1.15",
    "Mac": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/26.1 Safari/605.1.15",
    "in_app": f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} "
    "Mobile/15E148 [FBAN/FBIOS;FBAV/489.0.0]",
    "Windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
}
TOUCH_POINTS = {"iPhone": "5", "iPad": "5", "in_app": "5"}
MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Download:
    content: bytes
    content_type: str
    filename: str


class Browser:
    """One person's browser on one device; keeps cookies apart from the device's own requests."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        kind: str = "iPhone",
        language: str = "en",
        runs_scripts: bool = True,
        patience: Patience = IMPATIENT,
    ) -> None:
        self.http = http
        self.patience = patience
        self.cookies = httpx2.Cookies()
        self.touch_points = TOUCH_POINTS.get(kind, "0") if runs_scripts else ""
        self.page: Page | None = None
        self.headers = {
            "User-Agent": USER_AGENTS[kind],
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": f"{language},{language.split('-')[0]};q=0.9",
        }

    def open(self, url: str) -> Page:
        return self._show(self._request("GET", url))

    def submit(self, form: Form, **values: str) -> Page:
        """Send a form with its hidden and prefilled fields, overridden by `values`."""
        fields = {**form.fields, **values}
        if "touch" in fields and self.touch_points:
            # what the page's script reads from the browser
            fields["touch"] = self.touch_points
        if form.method == "get":
            query = urllib.parse.urlencode(fields)
            return self._show(self._request("GET", f"{form.action.split('?')[0]}?{query}"))
        return self._show(self._request("POST", form.action, fields))

    def download(self, url: str | None = None) -> Download:
        """Fetch the profile behind the download link. Raises PageRefused when it is refused."""
        target = url or (self.page.download_url if self.page else None)
        if not target:
            raise SimulatorError("the page offers no download")
        response = self._request("GET", target)
        if response.status_code != 200:
            page = pages.parse(response.text, url=target, status=response.status_code)
            raise PageRefused("download", page.errors or [page.text[:200]], response.status_code)
        disposition = response.headers.get("content-disposition", "")
        match = re.search(r'filename="?([^";]+)"?', disposition)
        return Download(
            response.content,
            response.headers.get("content-type", "").split(";")[0].strip(),
            match[1] if match else "",
        )

    def enrollment_status(self) -> dict[str, Any]:
        """What the open page would show next: the JSON behind data-status-url."""
        if self.page is None or not self.page.status_url:
            raise SimulatorError("the page has no status")
        response = self._request("GET", self.page.status_url)
        if response.status_code != 200:
            raise PageRefused("status", [response.text[:200]], response.status_code)
        answer = response.json()
        if not isinstance(answer, dict):
            raise SimulatorError("the status is not an object")
        return answer

    def _request(
        self, method: str, url: str, fields: dict[str, str] | None = None
    ) -> httpx2.Response:
        for _ in range(MAX_REDIRECTS):
            response = self._send(method, url, fields)
            if response.status_code not in REDIRECTS:
                return response
            url = urllib.parse.urljoin(url, response.headers.get("location", ""))
            if response.status_code not in (307, 308):
                method, fields = "GET", None
        raise SimulatorError(f"more than {MAX_REDIRECTS} redirects at {url}")

    def _send(self, method: str, url: str, fields: dict[str, str] | None) -> httpx2.Response:
        def attempt() -> httpx2.Response:
            headers = dict(self.headers)
            if method == "POST":
                parts = urllib.parse.urlsplit(url)
                headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
                headers["Referer"] = self.page.url if self.page else url
            request = self.http.build_request(method, url, data=fields, headers=headers)
            self.cookies.set_cookie_header(request)
            response = self.http.send(request)
            self.cookies.extract_cookies(response)
            return response

        return self.patience.send(attempt)

    def _show(self, response: httpx2.Response) -> Page:
        self.page = pages.parse(
            response.text, url=str(response.request.url), status=response.status_code
        )
        return self.page
