from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import CommandError, call_command

from apple.services import push_certificate
from core.models import NamedLease, Tenant
from devices.states import DeviceState
from mdm import installation
from mdm.diagnosis import surroundings
from mdm.diagnosis.findings import Level
from tests import factories
from tests.fakes.certificates import Authority
from tests.fakes.smtp import FakeSMTP


class Healthy(BaseHTTPRequestHandler):
    body = b"ok\n"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        """Stay quiet."""


class Stranger(Healthy):
    body = b"<html>It works!</html>"


@pytest.fixture
def public_site(tmp_path, settings, monkeypatch):
    """Serve https on loopback with a certificate of choice; the authority is trusted if asked."""
    servers = []

    def serve(certificate, authority, *, is_trusted=True, handler=Healthy):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate.write(tmp_path, "site"))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        trusted = authority if is_trusted else Authority("Somebody else")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted.write(tmp_path)))
        settings.MUSTER_PUBLIC_URL = f"https://localhost:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_trusted_certificate_and_this_server_are_fine(public_site, authority):
    public_site(authority.server(), authority)
    assert surroundings.check_tls().level == Level.OK


def test_an_untrusted_certificate_is_an_error(public_site, authority):
    public_site(authority.server(), authority, is_trusted=False)
    found = surroundings.check_tls()
    assert (found.level, "not trusted" in found.text) == (Level.ERROR, True)


@pytest.mark.parametrize("kind", ["expired", "another name"])
def test_a_certificate_that_devices_refuse_is_an_error(public_site, authority, kind):
    certificate = (
        authority.server(is_expired=True) if kind == "expired" else authority.server("other.test")
    )
    public_site(certificate, authority)
    assert surroundings.check_tls().level == Level.ERROR


def test_another_site_at_the_address_is_an_error(public_site, authority):
    public_site(authority.server(), authority, handler=Stranger)
    assert "Something else" in surroundings.check_tls().text


def test_an_address_that_nobody_answers_is_an_error(settings):
    settings.MUSTER_PUBLIC_URL = "https://localhost:1"
    assert surroundings.check_tls().level == Level.ERROR


def use_smtp(settings, port, **more):
    settings.EMAIL_BACKEND = "core.gateways.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    for name, value in more.items():
        setattr(settings, name, value)


def test_a_mail_server_that_answers_is_fine(settings, smtp):
    use_smtp(settings, smtp.port)
    assert surroundings.check_mail().level == Level.OK


def test_a_mail_server_that_is_down_is_an_error(settings):
    use_smtp(settings, 1)
    assert surroundings.check_mail().level == Level.ERROR


def test_a_wrong_mail_password_is_told_apart_and_not_shown(settings):
    with FakeSMTP(username="muster", password="right") as smtp:
        use_smtp(settings, smtp.port, EMAIL_HOST_USER="muster", EMAIL_HOST_PASSWORD="wr0ng-one")
        found = surroundings.check_mail()
    assert (found.level, "password" in found.text) == (Level.ERROR, True)
    assert "wr0ng-one" not in found.text + found.remedy


@pytest.mark.django_db
def test_a_missing_and_a_practice_push_certificate_are_told(tenant, quick_keys):
    assert surroundings.check_push().level == Level.WARNING
    push_certificate.install_practice(tenant=tenant)
    assert "simulated devices only" in surroundings.check_push().text


@pytest.fixture
def enrolled(tenant, person, settings):
    settings.MUSTER_PUBLIC_URL = "https://mdm.example.com"
    tenant.enrolled_public_url = "https://mdm.example.com"
    tenant.save()
    return factories.device(tenant, person)


def test_the_address_of_enrolled_devices_is_fine(enrolled):
    assert surroundings.check_address().level == Level.OK


def test_another_address_is_refused_once_devices_are_enrolled(enrolled, settings):
    settings.MUSTER_PUBLIC_URL = "https://new.example.com"
    found = surroundings.check_address()
    assert found.level == Level.ERROR
    assert "https://mdm.example.com" in found.text


def test_another_address_is_free_when_no_device_is_managed_any_more(enrolled, settings):
    settings.MUSTER_PUBLIC_URL = "https://new.example.com"
    enrolled.state = DeviceState.RETIRED
    enrolled.save()
    assert installation.changed_address() == ""


def test_simulated_devices_on_loopback_do_not_fix_the_address(enrolled, settings, quick_keys):
    Tenant.objects.update(enrolled_public_url="http://localhost:8000")
    settings.MUSTER_PUBLIC_URL = "https://mdm.example.com"
    assert installation.changed_address() == ""
    installation.install()
    assert Tenant.objects.get(pk=enrolled.tenant_id).enrolled_public_url == ""


@pytest.mark.django_db
def test_beat_is_seen_by_its_lease(tenant):
    from core import clock

    assert surroundings.check_beat().level == Level.WARNING
    later = clock.now() + surroundings.TLS_WARNING
    NamedLease.objects.create(name="beat", holder="x", expires_at=later)
    assert surroundings.check_beat().level == Level.OK


@pytest.mark.django_db
def test_the_command_shows_each_finding_with_its_remedy(capsys, quick_keys):
    installation.install()
    call_command("doctor")
    shown = capsys.readouterr().out
    assert "warning  push" in shown
    assert "→ Get one under Settings" in shown


@pytest.mark.django_db
def test_the_command_fails_when_something_is_broken(capsys):
    with pytest.raises(CommandError, match="To mend"):
        call_command("doctor")
    assert "ERROR    signer" in capsys.readouterr().out


@pytest.mark.django_db
def test_strictly_a_warning_is_an_error(quick_keys):
    installation.install()
    with pytest.raises(CommandError):
        call_command("doctor", strict=True)


def test_unsafe_settings_are_told_before_anything_is_tried(settings, capsys):
    settings.MUSTER_KEK = ""
    with pytest.raises(CommandError):
        call_command("doctor")
    assert "MUSTER_KEK" in capsys.readouterr().out
