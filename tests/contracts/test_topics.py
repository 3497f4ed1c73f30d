"""The topics as they are declared."""

from contracts.topics import own_topics, vendor_topics


def test_no_senders_clock_decides_when_a_message_is_deleted() -> None:
    """Where messages are deleted by age, it is the age that the broker knows: one sent with an old time is read all the same."""
    declared = (*own_topics(3), *vendor_topics({"hospital": "in.hospital.order.v1"}, 3))
    deleted = [one for one in declared if one.settings.get("retention.ms") not in {None, "-1"}]

    assert len(deleted) >= 3
    assert {one.settings["message.timestamp.type"] for one in deleted} == {"LogAppendTime"}
