"""Devices survive a restart of the simulator."""

from __future__ import annotations

import stat

import pytest

from simulator import storage, wire


@pytest.mark.parametrize("kind", ["iphone", "mac"])
def test_a_saved_device_goes_on_where_it_stopped(standin, request, tmp_path, kind):
    device = request.getfixturevalue(kind)
    device.install(standin.profile())
    storage.save(device, tmp_path)
    [restored] = storage.load_all(tmp_path, wire.open_client)
    uuid = standin.order("ProfileList")
    restored.poll()
    result = standin.result_of(uuid)
    assert result["UDID"] == device.udid
    assert [c.token for c in restored.channels] == [c.token for c in device.channels]
    restored.http.close()


def test_the_file_is_private_and_goes_with_management(standin, iphone, tmp_path):
    iphone.install(standin.profile())
    storage.save(iphone, tmp_path)
    [path] = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    iphone.leave()
    storage.save(iphone, tmp_path)
    assert list(tmp_path.iterdir()) == []
