"""How the limits of the processes relate: which must end before which."""

from connectors.kafka import ends
from connectors.kafka.clients import DELIVERY_SECONDS, REBALANCE_SECONDS, SESSION_SECONDS, consumer_config
from connectors.kafka.positions import PATIENCE_SECONDS
from connectors.settings import Settings
from streams.topology import consumer, preflight, reading, restore, wakeups
from streams.topology.app import create_app
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.watching import HUNG_SECONDS
from streams.topology.listing.limits import ListingLimits
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.settings import EngineLimits
from tests.streams.topology.fakes import engine_settings

BROKER_LOOKS_SECONDS = 10.0
"""How often a broker looks for transactions whose time is over (`transaction.abort.timed.out.transaction.cleanup.interval.ms`)."""
MARGIN_SECONDS = 10.0
ENGINE = EngineLimits()
DEFAULTS = Settings(kafka="127.0.0.1:1")


def test_whatever_a_rebalance_waits_for_ends_before_the_group_gives_the_member_up() -> None:
    """Partitions that come wait for the group's offsets, once; partitions that go wait for what is under way."""
    coming = [PATIENCE_SECONDS]
    publisher, intake = PublisherLimits(), IntakeLimits()
    going = [publisher.drain_seconds + publisher.delivery_seconds, intake.delivery_seconds]

    assert max(coming + going) + MARGIN_SECONDS <= REBALANCE_SECONDS
    assert consumer_config(DEFAULTS, "g")["max.poll.interval.ms"] == REBALANCE_SECONDS * 1000


def test_a_dead_members_transaction_ends_before_the_wait_for_it() -> None:
    """Only the listing's transactions carry offsets of a group."""
    assert ListingLimits().transaction_seconds + BROKER_LOOKS_SECONDS + MARGIN_SECONDS <= PATIENCE_SECONDS


def test_a_turn_of_reading_nll_ends_before_the_group_gives_the_member_up() -> None:
    """It reads, then waits twice for acknowledgements, each of which comes or fails within the client's own limit."""
    assert NllSourceLimits().turn_seconds + 2 * DELIVERY_SECONDS + MARGIN_SECONDS <= REBALANCE_SECONDS


def test_a_client_is_taken_for_hung_only_when_each_of_its_waits_is_over() -> None:
    """Whatever the broker may take, the client says by then that there was no answer."""
    waits = [
        ENGINE.fence_seconds,
        ENGINE.transaction_seconds,
        ENGINE.restore_quiet_seconds,
        restore.ADMIN_SECONDS,
        wakeups.FLUSH_SECONDS,
        ends.ASK_SECONDS,
    ]

    assert max(waits) + MARGIN_SECONDS <= ENGINE.hung_seconds
    assert preflight.ASK_SECONDS + MARGIN_SECONDS <= preflight.HUNG_SECONDS
    assert IntakeLimits().request_seconds + MARGIN_SECONDS <= HUNG_SECONDS


def test_the_watchdog_is_more_patient_than_any_acknowledgement() -> None:
    """A loop that waits for one slow answer is not one that hangs."""
    acknowledged = [limits.delivery_seconds for limits in (PublisherLimits(), IntakeLimits(), NllSourceLimits())]

    assert DEFAULTS.watchdog_seconds >= max(*acknowledged, NllSourceLimits().turn_seconds) + MARGIN_SECONDS
    assert ListingLimits().transaction_seconds + BROKER_LOOKS_SECONDS + MARGIN_SECONDS <= DEFAULTS.watchdog_seconds


def test_a_silent_connection_is_given_up_before_the_watchdog_gives_up() -> None:
    """A half-open one would else end the worker, which another connection can do without."""
    asked_again = reading.SOCKET_SECONDS + 2 * MARGIN_SECONDS

    assert asked_again <= DEFAULTS.watchdog_seconds


def test_a_read_under_way_holds_nothing_up() -> None:
    """A change of what is read waits for it: faust gives a seek a limit, and so does a stop."""
    app = create_app(engine_settings())

    assert min(ENGINE.shutdown_seconds, app.conf.broker_request_timeout) >= reading.WAIT_SECONDS + MARGIN_SECONDS


def test_a_batch_fits_into_what_may_be_under_way() -> None:
    """Else every batch would wait for its own write; and a fold ends long before a loop that stands still is a fault."""
    assert 2 * ENGINE.batch_records <= ENGINE.pending_records
    assert 2 * ENGINE.batch_bytes <= ENGINE.pending_bytes
    assert 100 * ENGINE.batch_seconds <= ENGINE.blocked_seconds


def test_the_engine_takes_partitions_over_before_its_group_gives_it_up() -> None:
    """And waits longer for an assignment than the group waits for its slowest member."""
    app = create_app(engine_settings())

    assert ENGINE.restore_seconds + MARGIN_SECONDS <= app.conf.broker_max_poll_interval
    standing_still = ENGINE.blocked_seconds + ENGINE.transaction_seconds + consumer.POLL_SECONDS
    assert standing_still + MARGIN_SECONDS <= app.conf.broker_max_poll_interval
    assert app.conf.broker_rebalance_timeout + SESSION_SECONDS + MARGIN_SECONDS <= ENGINE.assignment_seconds
