"""Following the registration pages: link, PIN or password, profile. The pages decide the order."""

from __future__ import annotations

from .browser import Browser
from .errors import PageRefused
from .page import Page

MAX_PAGES = 14
TICKED = ("accepted",)  # a box that nobody has ticked yet sends nothing


def register(
    browser: Browser,
    link: str,
    *,
    pin: str | None = None,
    password: str | None = None,
    email: str | None = None,
    stop_at: str = "",
) -> Page:
    """Walk from the link to the page that offers the profile, or to the step `stop_at`.

    `password` signs in, or becomes the new password where one has to be set. Raises PageRefused
    with the page's own error texts when a step is refused or cannot be done.
    """
    values = {
        "start": {},
        "pin": {"pin": pin},
        "sign-in": {"email": email, "password": password},
        "password": {"password1": password, "password2": password},
        "terms": {"accepted": "on"},
        "profile": {},
    }
    page = browser.open(link)
    done: str | None = None
    for _ in range(MAX_PAGES):
        if page.download_url or (stop_at and page.step == stop_at):
            return page
        form = page.step_form
        if form is None or page.status >= 500 or (page.errors and form.step == done):
            raise PageRefused(page.step, page.errors or [page.text[:300]], page.status)
        wanted = values.get(form.step or "")
        if wanted is None:
            raise PageRefused(form.step, [f"unknown step {form.step}"], page.status)
        known = {name: value for name, value in wanted.items() if name in (*form.fields, *TICKED)}
        if any(value is None for value in known.values()):
            raise PageRefused(form.step, ["the person does not know what to type"], page.status)
        done = form.step
        page = browser.submit(form, **{name: str(value) for name, value in known.items()})
    raise PageRefused(page.step, ["the pages go in circles"], page.status)
