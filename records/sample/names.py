"""Invented names: syllables put together, in Arabic and in Latin script. Nobody real is meant."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa

ARABIC, LATIN = 0, 1

# (script, sex) → beginnings and ends of given names; script → beginnings and ends of family names.
_GIVEN = {
    (ARABIC, "F"): (("سل", "مر", "لي", "نور", "هند", "ري"), ("مى", "ية", "انة", "ال", "ين")),
    (ARABIC, "M"): (("سا", "ما", "نا", "را", "حا", "عا"), ("لم", "جد", "زن", "مي", "دل")),
    (LATIN, "F"): (("Ma", "Lu", "Cla", "Eli", "No", "Vi"), ("rine", "cette", "ra", "se", "lanne")),
    (LATIN, "M"): (("Ar", "Lo", "Ben", "Ja", "Mi", "To"), ("mand", "rian", "dric", "mas", "lko")),
}
_FAMILY = {
    ARABIC: (("بن ", "ال", "بو"), ("زرو", "حمي", "كري", "شرا", "منصو", "فرحا", "قاس"), ("قي", "دان", "مي", "ري", "ني")),
    LATIN: (
        ("", "De ", "Van "),
        ("Mar", "Ber", "Kow", "Ros", "Dal", "Tre", "Hol"),
        ("val", "nier", "ski", "setti", "mann"),
    ),
}


@cache
def _full_names() -> tuple[pa.Array, int]:
    """Every full name, script by script and sex by sex, and how many there are of each."""
    blocks = []
    for script, sex in product((ARABIC, LATIN), ("F", "M")):
        given = ["".join(p) for p in product(*_GIVEN[script, sex])]
        family = ["".join(p) for p in product(*_FAMILY[script])]
        blocks.append([f"{g} {f}" for g, f in product(given, family)])
    return pa.array([name for block in blocks for name in block]), len(blocks[0])


def full_names(
    script: npt.NDArray[np.integer], male: npt.NDArray[np.bool_], chance: npt.NDArray[np.uint32]
) -> pa.Array:
    """One full name per person as a dictionary array; `chance` picks among the names of a script and sex."""
    names, each = _full_names()
    index = (script.astype(np.int64) * 2 + male) * each + chance % each
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), names)
