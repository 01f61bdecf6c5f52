"""Arabic-Indic and Persian digits, read as the western digits they stand for."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_ZEROS = (0x0660, 0x06F0)  # ARABIC-INDIC DIGIT ZERO, EXTENDED ARABIC-INDIC DIGIT ZERO
_OTHERS = "[\u0660-\u0669\u06f0-\u06f9]"


def western_digits(texts: pa.Array) -> pa.Array:
    """The same strings with western digits 0-9. Strings that have only those are passed through unchanged."""
    if not pc.any(pc.invert(pc.string_is_ascii(texts))).as_py():
        return texts
    affected = pc.match_substring_regex(texts, pattern=_OTHERS)
    if not pc.any(affected).as_py():
        return texts
    changed = texts
    for zero in _ZEROS:
        for digit in range(10):
            changed = pc.replace_substring(changed, pattern=chr(zero + digit), replacement=str(digit))
    return changed
