"""Addresses, on the network and of mailboxes, as something that can be counted by."""

import functools
import unicodedata
from ipaddress import IPv4Address, ip_address

HOUSEHOLD = 64  # bits of an IPv6 address that one customer of a network has to themselves


@functools.lru_cache(1024)
def network_of(address: str | None) -> str | None:
    """What counts as the same place: an IPv4 address, or the first half of an IPv6 address.

    None where nothing is known; what is no address counts as it is written.
    """
    if not address:
        return None
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(known, IPv4Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return f"{known.exploded[: HOUSEHOLD // 4 + HOUSEHOLD // 16 - 1]}::/{HOUSEHOLD}"


def mailbox_of(email: str) -> str:
    """An e-mail address as it counts: no way to write it is another one.

    Databases fold letters in ways of their own (İ becomes i); here they lose their marks as well.
    """
    letters = unicodedata.normalize("NFKD", email.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
