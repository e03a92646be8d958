"""The certificates we trust when we call out, read once a process: reading them costs more than most requests."""

import ssl
from functools import cache

import httpx


@cache
def client_context() -> ssl.SSLContext:
    """The TLS settings of every HTTP client of this process: certificates are verified, as httpx does by itself."""
    return httpx.create_ssl_context()
