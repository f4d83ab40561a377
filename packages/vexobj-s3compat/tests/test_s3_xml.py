"""XML: what is written reads back, and what strangers send cannot hurt."""

import contextlib
from datetime import UTC, datetime
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat import xml
from vexobj_s3compat.errors import MalformedXML, NoSuchKey, S3Error
from vexobj_s3compat.operations._output import common_prefix_elements

printable = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
)


@given(printable | st.sampled_from(["\r\n\t", " a ", "]]>", "<!--", "&amp;"]))
def test_text_reads_back(text: str) -> None:
    read = xml.parse(xml.document("R", xml.element("Key", text)), "R")
    assert xml.child_text(read, "Key") == text


@pytest.mark.parametrize("char", ["\x01", "\x1f", "\ufffe", "\ud800"])
def test_what_xml_cannot_hold_becomes_a_reference(char: str) -> None:
    assert xml.escape(f"a{char}b") == f"a&#x{ord(char):x};b"


def test_times() -> None:
    assert xml.timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
    moment = datetime(2026, 1, 1, 1, 2, 3, 456_789, tzinfo=UTC)
    assert xml.timestamp(moment) == "2026-01-01T01:02:03.456Z"


@given(st.datetimes())
def test_times_are_those_of_iso_8601(moment: datetime) -> None:
    assert xml.timestamp(moment) == moment.isoformat(timespec="milliseconds") + "Z"


@given(st.lists(printable | st.sampled_from(["plain/key.jpg", "a&b", "<", "\r\n", "]]>", "%41 +"])))
def test_pages_of_keys_read_back(keys: list[str]) -> None:
    encoded = [key.encode() for key in keys]
    for url in (False, True):
        page = xml.parse(xml.document("R", *common_prefix_elements(encoded, url=url)), "R")
        prefixes = [xml.child_text(each, "Prefix") for each in xml.children(page, "CommonPrefixes")]
        assert [unquote(each or "") if url else each for each in prefixes] == keys


def test_error_document() -> None:
    error = NoSuchKey(fields={"Key": "<a>", "Code": "not this one"})
    read = ET.fromstring(xml.error_document(error, resource="/b/<a>", request_id="1", host_id="2"))
    assert [(child.tag, child.text) for child in read] == [
        ("Code", "NoSuchKey"),
        ("Message", "The specified key does not exist."),
        ("Key", "<a>"),
        ("Resource", "/b/<a>"),
        ("RequestId", "1"),
        ("HostId", "2"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete><Key> a&amp;&quot;&#10;b </Key></Delete>",
        (
            b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            b"<Key> a&amp;&quot;&#xA;b </Key></Delete>"
        ),
        b'<s:Delete xmlns:s="urn:x"><s:Key><![CDATA[ a&"\nb ]]></s:Key></s:Delete>',
        '<?xml version="1.0" encoding="UTF-16"?><Delete><Key> a&amp;"\nb </Key></Delete>'.encode(
            "utf-16"
        ),
    ],
)
def test_names_without_namespace_and_text_with_its_blanks(body: bytes) -> None:
    assert xml.child_text(xml.parse(body, "Delete"), "Key") == ' a&"\nb '


LAUGHS = b'<!DOCTYPE D [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><D>&b;</D>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<D>",
        b"<E/>",
        b"<D/><D/>",
        b"text",
        b"<D>&undefined;</D>",
        b"<D>\xff</D>",
        b"<D>&#0;</D>",
        b"<D a='1' a='2'/>",
        b'<?xml version="1.0" encoding="no-such"?><D/>',
        LAUGHS,
        LAUGHS.decode().encode("utf-16"),
        b'<!DOCTYPE D SYSTEM "http://example.com/x"><D/>',
        b"<!DOCTYPE D><D/>",
        b"<D>" + b"<a>" * 100 + b"</a>" * 100 + b"</D>",
        b"<D>" + b"<a/>" * 130_000 + b"</D>",
    ],
)
def test_refused(body: bytes) -> None:
    with pytest.raises(MalformedXML):
        xml.parse(body, "D")


def test_length_is_bounded() -> None:
    with pytest.raises(MalformedXML):
        xml.parse(b"<D/>   ", "D", max_bytes=6)


@given(st.binary(max_size=200) | st.text("<>/&;!aD'\"=?-[] ", max_size=60).map(str.encode))
def test_nothing_but_an_s3_error(body: bytes) -> None:
    with contextlib.suppress(S3Error):
        xml.parse(body, "D")


def test_children_keep_their_order() -> None:
    read = xml.parse(b"<D><a>1</a><b/><a>2</a></D>", "D")
    assert [child.text for child in xml.children(read, "a")] == ["1", "2"]
    assert xml.child_text(read, "c") is None
