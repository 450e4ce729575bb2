"""What devices say on the command channel."""

from __future__ import annotations

import pytest

from apple.protocol import envelope, plist, results
from apple.protocol.errors import ProtocolError, UnknownMessageError
from apple.protocol.results import Status
from tests.apple import messages


def test_idle_asks_for_work() -> None:
    message = results.parse(messages.idle())
    assert (message.status, message.command_uuid, message.errors) == (Status.IDLE, "", ())


def test_a_result_names_its_command_and_keeps_its_body() -> None:
    body = messages.acknowledged("ABC-1", QueryResponses={"DeviceName": "x"})
    message = results.parse(body)
    assert (message.status, message.command_uuid) == (Status.ACKNOWLEDGED, "ABC-1")
    assert message.body["QueryResponses"] == {"DeviceName": "x"}


def test_an_error_keeps_its_chain_in_english_when_there_is_some() -> None:
    chain = [
        {
            "ErrorCode": 12021,
            "ErrorDomain": "MCMDMErrorDomain",
            "LocalizedDescription": "„X“ ist kein gültiger Befehl",
            "USEnglishDescription": "X is not a valid request type",
        },
        {"ErrorCode": 1, "ErrorDomain": "Other", "LocalizedDescription": "Hm"},
    ]
    message = results.parse(messages.acknowledged("A", Status="Error", ErrorChain=chain))
    assert [(e.domain, e.code, e.description) for e in message.errors] == [
        ("MCMDMErrorDomain", 12021, "X is not a valid request type"),
        ("Other", 1, "Hm"),
    ]


@pytest.mark.parametrize(
    "chain",
    [None, "text", 7, {}, [1, "x", None], [{}], [{"ErrorCode": "x", "ErrorDomain": 5}] * 500],
)
def test_a_malformed_error_chain_is_no_reason_to_refuse_the_result(chain: object) -> None:
    message = results.parse(messages.acknowledged("A", Status="Error", ErrorChain=chain))
    assert len(message.errors) <= results.MAX_ERRORS


def test_a_format_error_may_come_without_a_chain() -> None:
    message = results.parse(messages.acknowledged("A", Status="CommandFormatError"))
    assert message.status is Status.COMMAND_FORMAT_ERROR


def test_a_result_without_uuid_is_readable_because_it_would_come_again_for_ever() -> None:
    body = messages.idle(Status="Acknowledged")
    assert results.parse(body).command_uuid == ""


@pytest.mark.parametrize("status", ["Okay", "idle", "", "Acknowledged "])
def test_an_unknown_status_is_a_plain_400(status: str) -> None:
    with pytest.raises(UnknownMessageError) as caught:
        results.parse(messages.idle(Status=status))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "change",
    [{"Status": 1}, {"UDID": None}, {"CommandUUID": 9}, {"CommandUUID": "x" * 65}],
)
def test_a_wrong_type_or_length_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        results.parse(messages.acknowledged("A") | change)


def test_the_envelope_carries_one_command() -> None:
    number = "01890A5D-AC96-774B-BCCE-B302099A8057"
    body = envelope.command(number, {"RequestType": "SecurityInfo"})
    assert plist.read(body, limit=10_000) == {
        "CommandUUID": number,
        "Command": {"RequestType": "SecurityInfo"},
    }


def test_the_answer_to_get_bootstrap_token_may_be_empty() -> None:
    body = envelope.bootstrap_token(b"")
    assert plist.read(body, limit=10_000) == {"BootstrapToken": b""}
