"""A web page as far as a person needs it: forms, error texts, the download link, the status."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID_TAGS = "area base br col embed hr img input link meta param source track wbr"
VOID = frozenset(VOID_TAGS.split())  # never closed
NOT_SENT = frozenset({"submit", "button", "image", "reset", "file"})


@dataclass
class Form:
    action: str
    method: str
    step: str | None
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """One parsed answer; `step` is the data-step of its registration form, if it has one."""

    url: str
    status: int
    forms: list[Form] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    download_url: str | None = None
    status_url: str | None = None
    title: str = ""

    @property
    def step_form(self) -> Form | None:
        return next((form for form in self.forms if form.step), None)

    @property
    def step(self) -> str | None:
        return self.step_form.step if self.step_form else None

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


class _PageParser(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.open: list[tuple[str, bool]] = []  # tag, whether it began an error text
        self.form: Form | None = None
        self.text_area: str | None = None
        self.select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "data-error" in found:
            self.page.errors.append("")
        if tag not in VOID:
            self.open.append((tag, "data-error" in found))
        if "data-status-url" in found:
            self.page.status_url = self._absolute(found["data-status-url"])
        if tag == "a" and "data-profile-download" in found:
            self.page.download_url = self._absolute(found.get("href", ""))
        if tag == "form":
            self.form = Form(
                action=self._absolute(found.get("action", "")),
                method=found.get("method", "get").lower(),
                step=found.get("data-step"),
            )
            self.page.forms.append(self.form)
        elif self.form is not None:
            self._field(tag, found)

    def _field(self, tag: str, found: dict[str, str]) -> None:
        name, kind = found.get("name", ""), found.get("type", "text").lower()
        form = self.form
        if form is None or "disabled" in found:
            return
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select:
            if "selected" in found or self.select not in form.fields:
                form.fields[self.select] = found.get("value", "")
        elif tag == "textarea":
            self.text_area = name
            form.fields[name] = ""
        elif tag == "input" and name and _is_sent(kind, found):
            form.fields[name] = found.get("value", "on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        while self.open and tag in (name for name, _ in self.open):
            if self.open.pop()[0] == tag:
                break
        if tag == "form":
            self.form = None
        elif tag == "textarea":
            self.text_area = None
        elif tag == "select":
            self.select = None

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self.open]
        if "script" in tags or "style" in tags:
            return
        if self.text_area is not None and self.form is not None:
            self.form.fields[self.text_area] += data
        if "title" in tags:
            self.page.title += data.strip()
            return
        if any(is_error for _, is_error in self.open):
            self.page.errors[-1] = f"{self.page.errors[-1]} {data.strip()}".strip()
        self.page.texts.append(data)

    def _absolute(self, url: str) -> str:
        return urllib.parse.urljoin(self.page.url, url)


def _is_sent(kind: str, found: dict[str, str]) -> bool:
    return kind not in NOT_SENT and (kind not in ("checkbox", "radio") or "checked" in found)


def parse(html: str, *, url: str, status: int) -> Page:
    page = Page(url=url, status=status)
    parser = _PageParser(page)
    parser.feed(html)
    parser.close()
    page.errors = [error for error in page.errors if error]
    return page
