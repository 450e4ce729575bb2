"""A stand-in for the server on loopback: pages, SCEP, check-in and connect, as small as can be."""

from __future__ import annotations

import base64
import datetime
import http.server
import plistlib
import threading
import uuid
from urllib.parse import parse_qs, unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from core.pki import ca, cms, envelope, scep
from core.pki.errors import CmsError
from tests.pki_material import NOW, der_of, rsa_key

LINK, PIN = "ABCDEFGHIJKLMNOP234567", "48213907"
LATER = NOW + datetime.timedelta(days=30)


class StandIn:
    """Start with `with StandIn() as server:`; tests set its attributes and read what it saw."""

    def __init__(self) -> None:
        key = rsa_key("stand-in-device-ca")
        self.device_ca = ca.make_device_ca(
            key=key, subject=ca.name("Device CA"), not_before=NOW, not_after=LATER
        )
        self.recipient = envelope.Recipient(self.device_ca, key)
        self.root_key, self.signer_key = rsa_key("stand-in-root"), rsa_key("stand-in-signer")
        self.root = ca.make_signing_root(
            key=self.root_key, subject=ca.name("Root"), not_before=NOW, not_after=LATER
        )
        self.signer = ca.issue_profile_signer(
            root=self.root,
            root_key=self.root_key,
            public_key=self.signer_key.public_key(),
            subject=ca.name("Profiles"),
            not_before=NOW,
            not_after=LATER,
        )
        self.challenges = {"secret-1"}
        self.issued: dict[tuple[str, int], x509.Certificate] = {}
        self.scep_requests: list[scep.OpenedRequest] = []
        self.capabilities = scep.capabilities()
        self.check_ins: list[dict] = []
        self.check_in_replies: dict[str, bytes] = {}
        self.results: list[dict] = []
        self.queue: list[dict] = []
        # (status, content type, body) given to devices before their request is looked at
        self.fail_next: list[tuple[int, str, bytes]] = []
        self.device_cookies: list[str | None] = []

    def __enter__(self) -> StandIn:
        owner = self

        class Handler(_Handler):
            state = owner

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def link(self) -> str:
        return f"{self.url}/go/{LINK}"

    def order(self, request_type: str, **keys: object) -> str:
        """Queue a command; returns its CommandUUID."""
        command = {"RequestType": request_type, **keys}
        self.queue.append({"CommandUUID": str(uuid.uuid4()), "Command": command})
        return self.queue[-1]["CommandUUID"]

    def result_of(self, command_uuid: str) -> dict:
        return next(r for r in self.results if r.get("CommandUUID") == command_uuid)

    def plist(self, *, challenge: str = "secret-1") -> dict:
        """The enrollment profile's top level, fresh UUIDs each time."""

        def payload(kind: str, **keys: object) -> dict:
            own = str(uuid.uuid4())
            return {
                "PayloadType": kind,
                "PayloadVersion": 1,
                "PayloadIdentifier": f"standin.{kind}",
                "PayloadUUID": own,
                **keys,
            }

        identity = payload(
            "com.apple.security.scep",
            PayloadContent={
                "URL": f"{self.url}/scep",
                "Name": "standin",
                "Subject": [[["O", "Stand-in"]], [["CN", "device"]]],
                "Challenge": challenge,
                "Keysize": 2048,
                "Key Type": "RSA",
                "Key Usage": 5,
                "CAFingerprint": self.device_ca.fingerprint(hashes.SHA256()),
            },
        )
        mdm = payload(
            "com.apple.mdm",
            IdentityCertificateUUID=identity["PayloadUUID"],
            Topic="com.apple.mgmt.External.standin",
            ServerURL=f"{self.url}/connect",
            CheckInURL=f"{self.url}/checkin",
            AccessRights=8191,
            SignMessage=True,
            CheckOutWhenRemoved=True,
            ServerCapabilities=[
                "com.apple.mdm.per-user-connections",
                "com.apple.mdm.bootstraptoken",
            ],
        )
        root = payload("com.apple.security.root", PayloadContent=der_of(self.root))
        return {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": "standin.enrollment",
            "PayloadUUID": str(uuid.uuid4()),
            "PayloadDisplayName": "Stand-in",
            "PayloadScope": "System",
            "PayloadContent": [root, identity, mdm],
        }

    def profile(self, top: dict | None = None) -> bytes:
        """The signed profile."""
        return cms.sign_attached(
            plistlib.dumps(top or self.plist()),
            certificate=self.signer,
            key=self.signer_key,
            chain=[self.root],
        )

    def scep(self, body: bytes) -> bytes:
        request = scep.read_request(body)
        try:
            opened = scep.open_request(request, recipients=[self.recipient])
            issued = self._issue(opened)
        except scep.ScepFailure as failure:
            return scep.build_failure(
                request, fail_info=failure.fail_info, authority=self.recipient
            )
        return scep.build_success(opened, issued=issued, authority=self.recipient)

    def _issue(self, opened: scep.OpenedRequest) -> x509.Certificate:
        self.scep_requests.append(opened)
        known = (opened.request.transaction_id, opened.public_key.public_numbers().n)
        if known not in self.issued:
            is_renewal = opened.signer.der in map(der_of, self.issued.values())
            if not is_renewal and opened.challenge not in self.challenges:
                raise scep.ScepFailure(scep.FailInfo.BAD_REQUEST, "challenge")
            self.challenges.discard(opened.challenge)
            self.issued[known] = ca.issue_identity(
                authority=self.device_ca,
                authority_key=self.recipient.key,
                public_key=opened.public_key,
                subject=ca.name("identity"),
                not_before=NOW,
                not_after=LATER,
            )
        return self.issued[known]

    def check_in(self, message: dict) -> bytes:
        self.check_ins.append(message)
        return self.check_in_replies.get(message["MessageType"], b"")

    def connect(self, message: dict) -> bytes:
        if message["Status"] != "Idle":
            self.results.append(message)
            self.queue = [c for c in self.queue if c["CommandUUID"] != message["CommandUUID"]]
            if message["Status"] == "NotNow":
                return b""
        return plistlib.dumps(self.queue[0]) if self.queue else b""


class _Handler(http.server.BaseHTTPRequestHandler):
    state: StandIn
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write per answer, or Nagle costs 40 ms each

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: bytes = b"", kind: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _fails(self) -> bool:
        if not self.state.fail_next:
            return False
        status, kind, body = self.state.fail_next.pop(0)
        self._answer(status, body, kind)
        return True

    def do_PUT(self) -> None:
        body = self._body()
        self.state.device_cookies.append(self.headers.get("Cookie"))
        if self._fails():
            return
        try:
            cms.verify_detached(base64.b64decode(self.headers["Mdm-Signature"]), body)
        except CmsError:
            return self._answer(400)
        message = plistlib.loads(body, fmt=plistlib.FMT_XML)
        handle = self.state.check_in if self.path == "/checkin" else self.state.connect
        reply = handle(message)
        self._answer(200, reply, "application/xml" if reply else "")

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/scep":
            self._scep(query, None)
        elif path == "/profile":
            self._answer(200, self.state.profile(), "application/x-apple-aspen-config")
        else:
            self._page(self._step(path), "")

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        if path == "/scep":
            return None if self._fails() else self._scep(query, body)
        return self._submit(path, {k: v[0] for k, v in parse_qs(body.decode()).items()})

    def _scep(self, query: str, body: bytes | None) -> None:
        fields = dict(part.partition("=")[::2] for part in query.split("&"))
        operation = fields["operation"]
        if operation == "GetCACaps":
            self._answer(200, self.state.capabilities, "text/plain")
        elif operation == "GetCACert":
            kind, data = scep.ca_certificates([self.state.device_ca])
            self._answer(200, data, kind)
        else:
            message = base64.b64decode(unquote(fields.get("message", ""))) if body is None else body
            reply = self.state.scep(message)
            self._answer(200, reply, scep.MESSAGE_TYPE)

    def _step(self, path: str) -> str:
        if path != f"/go/{LINK}":
            return "unknown"
        cookie = self.headers.get("Cookie", "")
        return cookie.partition("step=")[2].partition(";")[0] or "start"

    def _submit(self, path: str, fields: dict[str, str]) -> None:
        step = self._step(path)
        if fields.get("csrfmiddlewaretoken") != "anti-forgery":
            return self._answer(403, b"<p data-error>Forgery</p>", "text/html")
        if step == "pin" and fields.get("pin") != PIN:
            return self._page("pin", "This PIN is not correct.")
        following = {"start": "pin", "pin": "password", "password": "profile", "profile": "ready"}
        jar = f"step={following[step]}; Path=/"
        return self._answer(302, Location=path, Set_Cookie=jar)

    def _page(self, step: str, error: str) -> None:
        inputs = {"pin": ["pin"], "password": ["password1", "password2"]}.get(step, [])
        fields = "".join(f'<input name="{name}">' for name in inputs)
        note = f"<div><p data-error>{error}<br></p></div>" if error else ""
        form = (
            f'<form method="post" data-step="{step}">'
            '<input type="hidden" name="csrfmiddlewaretoken" value="anti-forgery">'
            f'{fields}<button name="go">Go on</button></form>'
        )
        if step == "unknown":
            form = "<p data-error>This link is not known.</p>"
        elif step == "ready":
            form = (
                '<a data-profile-download href="/profile">Download</a>'
                '<div data-enrollment-status data-status-url="/status"></div>'
            )
        html = f"<title>Go</title><script>x < 1</script>{note}{form}"
        self._answer(404 if step == "unknown" else 200, html.encode(), "text/html; charset=utf-8")
