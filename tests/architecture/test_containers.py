"""The container files, as far as they can be checked without building them."""

from __future__ import annotations

import re
from functools import cache

import yaml

from tests.architecture.sources import ROOT

RUN_FROM_IMAGE = {"setup", "web", "worker", "beat"}


@cache
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def example():
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_variable_of_the_compose_file_is_in_the_example():
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert used <= set(example())


def test_the_example_holds_no_secret():
    secret = {"SECRET_KEY", "MUSTER_KEK", "POSTGRES_PASSWORD", "MUSTER_ADMIN_PASSWORD"}
    assert {name: value for name, value in example().items() if name in secret and value} == {}


def test_nothing_starts_without_its_secrets():
    settings = compose()["services"]["web"]["environment"]
    for name in ("SECRET_KEY", "MUSTER_KEK", "DATABASE_URL"):
        assert ":?" in settings[name]


def test_every_service_tells_its_health_or_why_not():
    silent = [
        name
        for name, service in compose()["services"].items()
        if "healthcheck" not in service and name != "proxy"
    ]
    assert silent == []


def test_only_the_proxy_is_reached_from_outside():
    open_services = [name for name, one in compose()["services"].items() if "ports" in one]
    assert open_services == ["proxy"]
    assert compose()["networks"]["back"]["internal"] is True
    assert "front" not in compose()["services"]["db"]["networks"]


def test_the_server_runs_without_root_and_without_a_writable_image():
    assert re.search(r"^USER muster$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name in RUN_FROM_IMAGE:
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_only_the_network_of_the_proxy_is_believed():
    front = compose()["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert compose()["services"]["web"]["environment"]["MUSTER_TRUSTED_PROXIES"] == front


def test_the_image_holds_every_package_of_the_server():
    dockerfile = (ROOT / "Dockerfile").read_text()
    needed = [path.parent.name for path in ROOT.glob("*/apps.py")] + ["templates", "static"]
    assert [name for name in needed if f"COPY {name} " not in dockerfile] == []


def test_every_setting_is_explained_in_the_readme():
    sources = [
        (ROOT / "mdm" / name).read_text() for name in ("settings.py", "launch.py", "environment.py")
    ]
    read = set(re.findall(r"env(?:\.\w+)?\(\s*\"(\w+)\"", "".join(sources)))
    read |= set(re.findall(r"kept_secret\(\"(\w+)\"", "".join(sources)))
    readme = (ROOT / "README.md").read_text()
    assert sorted(name for name in read if f"`{name}`" not in readme) == []
