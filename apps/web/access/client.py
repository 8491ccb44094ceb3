"""Who a client of the page counts as."""

from __future__ import annotations

import ipaddress
from typing import Any, Protocol


class Request(Protocol):
    """A request of Starlette or of Gradio, as far as it is needed here."""

    @property
    def client(self) -> Any:
        """Where it comes from, with its `host`; None if that is not known."""


def client_of(request: Request) -> str:
    """Return its address; of IPv6 the network, in which one machine may have all addresses."""
    host: str = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
