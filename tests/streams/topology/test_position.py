"""The position row: written and read back, and never taken from somebody else's bytes."""

import msgspec
import pytest

from streams.topology.position import Position, checksum, decode, encode


def test_a_position_survives_its_row() -> None:
    """What is written is what is read."""
    position = Position(next_offset=17, checksum=checksum(b"record"), topic_id="abc")

    assert decode(encode(position)) == position


@pytest.mark.parametrize("row", [b"17", b"{}", b'{"next_offset": "17"}', b'{"next_offset": 1, "more": 2}', b""])
def test_a_row_that_is_no_position_is_refused(row: bytes) -> None:
    """Anything but our own row raises: going on at a guess would lose or double."""
    with pytest.raises(msgspec.MsgspecError):
        decode(row)


def test_a_checksum_tells_records_apart() -> None:
    """Equal values have equal checksums, different ones do not."""
    assert checksum(b"a") == checksum(b"a")
    assert checksum(b"a") != checksum(b"b")
