"""Reading property lists that nobody can trust."""

from __future__ import annotations

import contextlib
import plistlib
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple.protocol import plist
from apple.protocol.errors import BodyTooLargeError, PlistError

LIMIT = 1_048_576
HEADER = '<?xml version="1.0" encoding="UTF-8"?>'
APPLE_DTD = (
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" '
    '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">'
)


def document(inner: str, doctype: str = APPLE_DTD) -> bytes:
    return f'{HEADER}\n{doctype}\n<plist version="1.0">{inner}</plist>'.encode()


def refuse(body: bytes, limit: int = LIMIT) -> PlistError:
    with pytest.raises(PlistError) as caught:
        plist.read(body, limit=limit)
    return caught.value


def test_it_reads_a_plain_apple_document() -> None:
    body = document("<dict><key>Status</key><string>Idle</string></dict>")
    assert plist.read(body, limit=LIMIT) == {"Status": "Idle"}


def test_it_reads_a_document_without_doctype_and_with_a_byte_order_mark() -> None:
    body = b"\xef\xbb\xbf" + document("<dict><key>A</key><true/></dict>", doctype="")
    assert plist.read(body, limit=LIMIT) == {"A": True}


def test_a_repeated_key_keeps_its_last_value() -> None:
    body = document("<dict><key>A</key><integer>1</integer><key>A</key><integer>2</integer></dict>")
    assert plist.read(body, limit=LIMIT) == {"A": 2}


def test_entities_that_multiply_are_refused() -> None:
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    refuse(document("<dict><key>A</key><string>&j;</string></dict>", f"<!DOCTYPE p [{entities}]>"))


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY % x SYSTEM "file:///etc/passwd">%x;',
        '<!ATTLIST plist version CDATA "1.0">',
        "",
    ],
)
def test_an_internal_subset_is_refused(subset: str) -> None:
    refuse(document("<dict/>", f"<!DOCTYPE plist [{subset}]>"))


def test_an_entity_behind_a_comment_is_refused() -> None:
    doctype = '<!-- <!DOCTYPE plist> --><!DOCTYPE plist [ <!ENTITY x "y"> ]>'
    refuse(document("<dict><key>A</key><string>&x;</string></dict>", doctype))


def test_a_document_type_elsewhere_is_never_fetched() -> None:
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/evil.dtd"

        def accept() -> None:
            with contextlib.suppress(TimeoutError):
                connections.append(listener.accept())

        thread = threading.Thread(target=accept)
        thread.start()
        plist.read(document("<dict/>", f'<!DOCTYPE plist SYSTEM "{url}">'), limit=LIMIT)
        thread.join()
    assert connections == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{}",
        b'{"MessageType": "Authenticate"}',
        document("<dict>")[:-20],
        document("<dict><key>A</key></dict>"),
        document("<dict><string>A</string></dict>"),
        document("<key>A</key>"),
        document("<dict><key>A</key><key>B</key></dict>"),
        document(f"<dict><key>A</key><integer>{'9' * 5000}</integer></dict>"),
        document("<dict><key>A</key><integer>one</integer></dict>"),
        document("<dict><key>A</key><integer/></dict>"),
        document("<dict><key>A</key><real>x</real></dict>"),
        document("<dict><key>A</key><date>yesterday</date></dict>"),
        document("<dict><key>A</key><date>2024-13-45T99:99:99Z</date></dict>"),
        document("<dict><key>A</key><data>abc</data></dict>"),
        document("<dict/>").replace(b"UTF-8", b"no-such-encoding"),
        document("<dict/>").decode().encode("utf-16"),
        b"\xff\xfe" + document("<dict/>"),
        document("<dict><key>A</key><string>\x00</string></dict>"),
        document("<dict><key>A</key><string>&#xD800;</string></dict>"),
    ],
)
def test_what_is_no_property_list_is_one_kind_of_error(body: bytes) -> None:
    assert refuse(body).status == 400


@pytest.mark.parametrize("inner", ["<array/>", "<string>text</string>", "<true/>", ""])
def test_the_root_must_be_a_dictionary(inner: str) -> None:
    refuse(document(inner))


def test_deep_nesting_is_refused_without_recursion() -> None:
    deep = "<array>" * 30_000 + "</array>" * 30_000
    refuse(document(f"<dict><key>A</key>{deep}</dict>"))


def test_the_greatest_depth_is_accepted_and_one_more_is_not() -> None:
    def nested(depth: int) -> bytes:
        inner = "<array>" * (depth - 1) + "</array>" * (depth - 1)
        return document(f"<dict><key>A</key>{inner}</dict>")

    plist.read(nested(plist.MAX_DEPTH), limit=LIMIT)
    refuse(nested(plist.MAX_DEPTH + 1))


def test_too_many_elements_are_refused_before_and_after_parsing() -> None:
    items = document(f"<dict><key>A</key><array>{'<true/>' * 500}</array></dict>")
    with pytest.raises(PlistError):
        plist.read(items, limit=LIMIT, max_nodes=100)
    with pytest.raises(PlistError):
        plist.read(items, limit=LIMIT, max_nodes=300)
    assert plist.read(items, limit=LIMIT, max_nodes=501)


@pytest.mark.parametrize("value", [{"A": 1}, {"A": [1, 2, {"B": b"x"}]}])
def test_a_binary_property_list_is_refused(value: dict[str, object]) -> None:
    refuse(plistlib.dumps(value, fmt=plistlib.FMT_BINARY))


def test_a_binary_document_that_holds_itself_is_refused() -> None:
    # An array of one object whose only reference is the array itself.
    objects = b"bplist00" + b"\xa1\x00"
    trailer = b"\x08" + b"\x00" * 6 + b"\x01\x01" + (1).to_bytes(8, "big")
    trailer += (0).to_bytes(8, "big") + (len(objects)).to_bytes(8, "big")
    refuse(objects + trailer)


def test_a_body_over_its_limit_is_too_large() -> None:
    body = document("<dict/>")
    with pytest.raises(BodyTooLargeError) as caught:
        plist.read(body, limit=len(body) - 1)
    assert caught.value.status == 413
    assert plist.read(body, limit=len(body)) == {}


def test_errors_do_not_repeat_the_message() -> None:
    error = refuse(document("<dict><key>A</key><integer>s3cr3t</integer></dict>"))
    assert "s3cr3t" not in str(error)


# Carriage returns are folded into line feeds by every XML parser.
_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40
)
_scalars = st.one_of(st.booleans(), _text, st.binary(max_size=60), st.integers(-(2**63), 2**64 - 1))
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_text.filter(bool), _values, max_size=6))
def test_what_is_written_is_read_again(value: dict[str, object]) -> None:
    assert plist.read(plist.write(value), limit=LIMIT) == value


@given(st.binary(max_size=400))
def test_noise_never_escapes_as_another_error(noise: bytes) -> None:
    for body in (noise, document("").replace(b"</plist>", noise + b"</plist>")):
        with contextlib.suppress(PlistError):
            plist.read(body, limit=LIMIT)


_tags = st.sampled_from(
    ["dict", "array", "key", "string", "integer", "real", "true", "date", "data", "plist", "junk"]
)
_soup = st.lists(
    st.one_of(
        _tags.map("<{}>".format),
        _tags.map("</{}>".format),
        _tags.map("<{}/>".format),
        st.sampled_from(["1", "x", "&amp;", "&lt;", "<![CDATA[<a>]]>", "<?pi?>", "<!-- c -->"]),
    ),
    max_size=14,
).map("".join)


@given(_soup)
def test_tag_soup_never_escapes_as_another_error(soup: str) -> None:
    with contextlib.suppress(PlistError):
        plist.read(document(soup), limit=LIMIT)


_balanced = st.recursive(
    st.sampled_from(
        ["<true/>", "<key>a</key>", "<string>b</string>", "<integer>1</integer>", "<date/>"]
    ),
    lambda inner: st.tuples(
        st.sampled_from(["dict", "array", "key", "string", "junk"]), st.lists(inner, max_size=4)
    ).map(lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"),
    max_leaves=12,
)


@given(_balanced)
def test_well_formed_nonsense_never_escapes_as_another_error(inner: str) -> None:
    with contextlib.suppress(PlistError):
        plist.read(document(inner), limit=LIMIT)
