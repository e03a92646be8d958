"""Sealed values: MultiFernet with the purpose and workspace bound inside the plaintext.

Two key lists exist. Verification secrets (webhook secrets, signing keys) are sealed under `ZRG_VERIFY_KEYS`, which the
receiver holds; credentials under `ZRG_SECRET_KEYS`, which it does not.
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealError(ValueError):
    """A value cannot be sealed or opened. The message never contains the value."""


class Sealer:
    """Seals and opens short secrets under a key list, newest key first."""

    def __init__(self, keys: str) -> None:
        parts = [part.strip() for part in keys.split(",") if part.strip()]
        if not parts:
            raise SealError("no key: give at least one Fernet key")
        try:
            self._fernet = MultiFernet([Fernet(part) for part in parts])
            self._newest = Fernet(parts[0])
        except ValueError:
            raise SealError("a key is not 32 url-safe base64 bytes; make one with `zrg secrets keygen`") from None

    def __repr__(self) -> str:
        return "Sealer()"

    def seal(self, value: str, *, scope: str) -> str:
        """`value` encrypted and bound to `scope` (for example `workspace:ghl_api_key`)."""
        if not value or value != value.strip() or any(ord(c) < 33 or ord(c) == 127 for c in value):
            raise SealError(f"secret for {scope}: empty, or contains white space or control characters")
        return self._fernet.encrypt(json.dumps([scope, value]).encode()).decode()

    def open(self, sealed: str, *, scope: str) -> str:
        """The value sealed for exactly this `scope`; `SealError` when the key or the scope does not fit."""
        try:
            bound, value = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise SealError(f"secret for {scope}: cannot be opened with the keys of this process") from None
        if bound != scope:
            raise SealError(f"secret for {scope}: was sealed for another scope")
        return value

    def rotated(self, sealed: str) -> str | None:
        """`sealed` under the newest key, scope kept; None when it is already. `SealError` when no key opens it."""
        token = sealed.encode()
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            try:
                return self._fernet.rotate(token).decode()
            except InvalidToken:
                raise SealError("a sealed value cannot be opened with the keys of this process") from None
        return None


def new_key() -> str:
    return Fernet.generate_key().decode()
