"""The listing as a process: lists from Kafka in, the same lists as FHIR Bundles back to Kafka."""

from streams.topology.listing.run import Listing, ListingParts, listing_process, run_listing
from streams.topology.listing.stopping import ListingStop

__all__ = ["Listing", "ListingParts", "ListingStop", "listing_process", "run_listing"]
