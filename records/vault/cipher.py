"""How one field is encrypted: AES-256-GCM, bound to the place it is kept in.

The place (a person, a field, a moment) is authenticated with the content, so a ciphertext that was moved to another
place cannot be opened. The nonce is a keyed hash (BLAKE2b) of place and content: it repeats only where both do, which
keeps GCM safe, and writing the same thing twice gives the same bytes, so that a repeated batch changes nothing.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from records.errors import BadInput
from records.keys import Key

NONCE_BYTES = 12


class Cipher:
    """Seals and opens fields under one key; two uses of one key share nothing, as each names its `purpose`."""

    def __init__(self, key: Key, purpose: str) -> None:
        self.key_id = key.id
        self._aes = AESGCM(hmac.digest(key.secret, f"basira {purpose} content".encode(), "sha256"))
        self._nonce_key = hmac.digest(key.secret, f"basira {purpose} nonce".encode(), "sha256")

    def seal(self, place: tuple[str, ...], content: bytes) -> bytes:
        """Nonce and ciphertext of `content`, to be opened at the same `place` only."""
        bound = _bound(place)
        nonce = blake2b(bound + content, digest_size=NONCE_BYTES, key=self._nonce_key).digest()
        return nonce + self._aes.encrypt(nonce, content, bound)

    def open(self, place: tuple[str, ...], sealed: bytes) -> bytes:
        """What `seal` was given; BadInput if the key is another, or content or place were changed since."""
        try:
            return self._aes.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(place))
        except (InvalidTag, ValueError):
            raise BadInput(
                f"A field of the vault cannot be opened with key '{self.key_id}': it was written with another, "
                "or the vault was changed from outside. Restore the key, or the vault from its last copy."
            ) from None


def _bound(place: tuple[str, ...]) -> bytes:
    """The place as bytes: the lengths of its parts, then the parts. So no two places read the same, nor does one place
    followed by content read as another followed by other content."""
    return f"{','.join([str(len(part)) for part in place])}:{''.join(place)}".encode()
