"""Pseudonyms of persons, and which partition a patient's facts stand in.

Pseudonym: HMAC-SHA256 over the identifier with the secret key, its first 128 bits in hexadecimal (RFC 2104 section 5
allows the left half; two of ten million patients meet with a probability below 1e-24). Without the key nobody can
go back from it, not even by trying all person numbers. The key is the same in every process and never changes.

Partition: CRC-32 (IEEE 802.3) of the pseudonym's bytes, modulo the number of partitions. Chosen because it is in the
standard library and in C, is what librdkafka's `consistent` partitioner computes for the same key, and needs no
quality of its own: a pseudonym is uniform already. It is always sent explicitly: clients differ in their default (Java
and aiokafka use murmur2), and a patient whose facts stood in two partitions would have two lists.
"""

import hashlib
import hmac
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from contracts.values import Identifier

Pseudonym = Callable[[Identifier], str]
"""Gives the pseudonym of a canonical person identifier: its system and its one agreed spelling (12 digits)."""

KEY_BYTES_LEAST: Final = 32
_HEX_DIGITS: Final = 32
_REMEMBERED: Final = 65_536


def pseudonymiser(key: bytes) -> Pseudonym:
    """Return the function from person to pseudonym (32 hexadecimal digits) under `key`.

    Equal identifiers get equal pseudonyms, in every process that has the key. Remembers the last 65,536 persons, in
    memory only. Raises `ValueError` for a key shorter than 32 bytes.
    """
    if len(key) < KEY_BYTES_LEAST:
        raise ValueError(f"the key of the pseudonyms has fewer than {KEY_BYTES_LEAST} bytes")
    keyed = hmac.new(key, digestmod=hashlib.sha256)

    @lru_cache(maxsize=_REMEMBERED)
    def pseudonym(person: Identifier) -> str:
        mac = keyed.copy()
        # The length in front keeps ("ab", "c") and ("a", "bc") apart.
        mac.update(f"{len(person.system)}:{person.system}{person.value}".encode())
        return mac.hexdigest()[:_HEX_DIGITS]

    return pseudonym


def partition_of(pseudonym: str, partitions: int) -> int:
    """Return the partition, from 0, in which everything about a patient stands; fixed for ever by `partitions`."""
    return zlib.crc32(pseudonym.encode()) % partitions
