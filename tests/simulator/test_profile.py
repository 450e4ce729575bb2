"""A device refuses every profile that a device must refuse."""

from __future__ import annotations

import datetime
import plistlib

import pytest

from simulator import profile
from simulator.errors import CommandError, ProfileRejected


def test_reads_the_payloads_and_the_chain(standin):
    read = profile.read_enrollment(standin.profile(), system_scope=True)
    assert read.scep.challenge == "secret-1"
    assert read.mdm.check_in_url == f"{standin.url}/checkin"
    assert list(read.signers) == [standin.signer, standin.root]
    assert not read.verified


def test_a_trusted_root_makes_it_verified(standin):
    assert profile.read_enrollment(standin.profile(), trusted_roots=[standin.root]).verified


def test_a_changed_byte_is_refused(standin):
    data = standin.profile()
    at = data.index(b"secret-1")
    with pytest.raises(ProfileRejected, match="signature"):
        profile.read_enrollment(data[:at] + b"S" + data[at + 1 :])


def test_an_unsigned_profile_is_refused(standin):
    with pytest.raises(ProfileRejected, match="not signed"):
        profile.read_enrollment(plistlib.dumps(standin.plist()))


def test_a_chain_without_its_root_is_refused(standin):
    full = standin.profile()
    standin.root = standin.signer
    with pytest.raises(ProfileRejected, match="no issuer"):
        profile.read_enrollment(standin.profile())
    assert profile.read_enrollment(full)


def test_an_expired_signer_is_refused(standin):
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=400)
    with pytest.raises(ProfileRejected, match="not in date"):
        profile.read_enrollment(standin.profile(), now=later)


def break_topic(top):
    top["PayloadContent"][2]["Topic"] = "com.example.push"


def break_identity(top):
    top["PayloadContent"][2]["IdentityCertificateUUID"] = "nobody"


def break_order(top):
    top["PayloadContent"].reverse()


def break_url(top):
    top["PayloadContent"][2]["ServerURL"] = "http://mdm.example.com/connect"


def break_rights(top):
    top["PayloadContent"][2]["AccessRights"] = 0


def break_signing(top):
    del top["PayloadContent"][2]["SignMessage"]


def break_fingerprint(top):
    del top["PayloadContent"][1]["PayloadContent"]["CAFingerprint"]


def break_uuid(top):
    top["PayloadContent"][0]["PayloadUUID"] = top["PayloadContent"][1]["PayloadUUID"]


def break_scope(top):
    del top["PayloadScope"]


def break_content(top):
    top["PayloadContent"].insert(0, {**top["PayloadContent"][0], "PayloadType": "com.apple.wifi",
                                     "PayloadUUID": "another"})  # fmt: skip


@pytest.mark.parametrize(
    "breaking",
    [break_topic, break_identity, break_order, break_url, break_rights, break_signing,
     break_fingerprint, break_uuid, break_scope, break_content],
)  # fmt: skip
def test_a_wrong_payload_is_refused(standin, breaking):
    top = standin.plist()
    breaking(top)
    with pytest.raises(ProfileRejected):
        profile.read_enrollment(standin.profile(top), system_scope=True)


def change_topic(top):
    top["PayloadContent"][2]["Topic"] = "com.apple.mgmt.External.other"


def change_server(top):
    top["PayloadContent"][2]["ServerURL"] += "2"


def change_capabilities(top):
    top["PayloadContent"][2]["ServerCapabilities"] = []


@pytest.mark.parametrize("changing", [change_topic, change_server, change_capabilities])
def test_a_replacement_may_not_change_what_is_fixed(standin, changing):
    old = profile.read_enrollment(standin.profile())
    top = standin.plist()
    changing(top)
    new = profile.read_enrollment(standin.profile(top))
    with pytest.raises(CommandError) as refused:
        profile.check_replacement(old, new)
    assert refused.value.code == 12009
    profile.check_replacement(old, profile.read_enrollment(standin.profile()))
