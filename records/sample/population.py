"""Who travels: households of travellers with papers and habits, a block at a time.

Age, sex and nationality are drawn on their own and meet nothing that makes an entry irregular.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.sample.horizon import Horizon
from records.sample.parameters import COMMUTER, CREW, DIASPORA, DIPLOMAT, KINDS, RESIDENT, TOURIST, TRUCKER, Parameters
from records.sample.places import LAND, Places, neighbours_only

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Invented shares. The codes that the historical policy over-checks are among the middling ones, which leaves enough
# people on both sides to measure it.
VISITORS = {
    "FRA": 0.19, "DEU": 0.10, "GBR": 0.08, "ITA": 0.09, "POL": 0.06, "CZE": 0.04, "BEL": 0.05, "CIV": 0.06,
    "SEN": 0.06, "CMR": 0.05, "TUR": 0.06, "JOR": 0.05, "EGY": 0.06, "SRB": 0.05,
}  # fmt: skip
MIDDLING = ("POL", "CIV", "SEN", "CMR", "TUR", "JOR", "EGY", "SRB")
NATIONALITIES = (*VISITORS, "LBY", "DZA", "TUN")
LIBYAN, ALGERIAN, TUNISIAN = (NATIONALITIES.index(code) for code in ("LBY", "DZA", "TUN"))
ARABIC_SCRIPT = np.isin(NATIONALITIES, ("JOR", "EGY", "LBY", "DZA", "TUN"))
NEEDS_VISA = np.isin(NATIONALITIES, ("CMR", "JOR", "EGY"))

_SIZES = np.array([1, 2, 3, 4, 5, 16])
_SIZE_EDGES = np.cumsum([0.46, 0.30, 0.10, 0.09, 0.04, 0.01])
_MALE = {TRUCKER: 0.96, COMMUTER: 0.65, CREW: 0.6}


@dataclass(frozen=True)
class People:
    """A block of one kind. Arrays named for households have one value per household, the others one per person.

    `number` is unique in the world. `issued` is the day (of the horizon) the first document was issued; a document
    is replaced every `period` days and valid `validity` days. `borrows` is a neighbour whose document the person uses
    from the `borrows_from`-th journey on, or the person itself.
    """

    kind: int
    household_size: Ints
    household_first: Ints
    household: Ints
    child: Mask
    male: Mask
    born: Ints
    nationality: Ints
    number: Ints
    unified: Mask
    issued: Ints
    period: Ints
    validity: int
    borrows: Ints
    borrows_from: Ints
    name_chance: npt.NDArray[np.uint32]
    home: Ints
    overstays: Mask
    runs_visas: Mask
    stolen: Mask
    fresh: Mask

    def document(self, person: Ints, day: Ints) -> tuple[Ints, Ints]:
        """Version and day of issue of the document a person holds on a day."""
        version = np.maximum((day - self.issued[person]) // self.period[person], 0)
        return version, self.issued[person] + version * self.period[person]


def people(
    kind: int, households: int, *, first_number: int, where: Places, parameters: Parameters, rng: np.random.Generator
) -> People:
    """`households` households of one kind, whose persons are numbered from `first_number` on."""
    facts = KINDS[kind]
    size = np.ones(households, dtype=np.int64)
    if facts.families:
        size = _SIZES[np.searchsorted(_SIZE_EDGES, rng.random(households))]
    household = np.repeat(np.arange(households), size)
    first = np.cumsum(size) - size
    n = len(household)
    rank = np.arange(n) - first[household]
    # In families the third and further ones are children; a few children travel with one adult, or with none.
    family = (size >= 3) & (size <= 5)
    child = family[household] & (rank >= 2)
    child |= (size == 2)[household] & (rank == 1) & (rng.random(n) < 0.06)
    child |= (size == 1)[household] & (rng.random(n) < 0.012) & facts.families
    age = np.where(child, rng.uniform(0.3, 17.5, n), 18.2 + 58 * rng.beta(1.5, 2.3, n))
    home = where.post_for(kind, rng, households)
    nationality = _nationalities(kind, home, where, rng)[household]
    # Most documents are replaced some months before they expire, some a little too late.
    days_valid = parameters.document_years * 365 + 1
    period = days_valid - rng.integers(-25, 200, n)
    me = np.arange(n)
    borrower = (rng.random(n) < parameters.borrowed_documents) & (kind in (COMMUTER, TRUCKER, RESIDENT))
    alone = size == 1
    visitor = kind == TOURIST
    return People(
        kind=kind,
        household_size=size,
        household_first=first,
        household=household,
        child=child,
        male=rng.random(n) < _MALE.get(kind, 0.5),
        born=(-age * 365.25).astype(np.int64),
        nationality=nationality,
        number=first_number + me,
        unified=rng.random(n) < facts.unified,
        issued=-rng.integers(0, period),
        period=period,
        validity=days_valid,
        borrows=np.where(borrower, np.minimum(me ^ 1, n - 1), me),
        borrows_from=rng.integers(1, 5, n),
        name_chance=rng.integers(0, 1 << 31, n, dtype=np.uint32),
        home=home,
        overstays=(rng.random(households) < parameters.overstayers) & (kind in (TOURIST, TRUCKER)),
        runs_visas=(rng.random(households) < parameters.visa_runners) & alone & visitor,
        stolen=(rng.random(households) < parameters.stolen_documents) & (kind not in (DIASPORA, DIPLOMAT, CREW)),
        fresh=(rng.random(households) < parameters.fresh_documents) & visitor,
    )


def _nationalities(kind: int, home: Ints, where: Places, rng: np.random.Generator) -> Ints:
    n = len(home)
    if kind == DIASPORA:
        return np.full(n, TUNISIAN)
    drawn = np.searchsorted(np.cumsum(list(VISITORS.values())) / sum(VISITORS.values()), rng.random(n))
    if neighbours_only(kind):
        next_door = np.where(where.libyan[home], LIBYAN, ALGERIAN)
        return np.where(where.mode[home] == LAND, next_door, drawn)
    return drawn


def over_checked(parameters: Parameters, rng: np.random.Generator) -> tuple[str, ...]:
    """The nationality codes the historical policy over-checks in this world: the seed picks them."""
    return tuple(sorted(rng.choice(MIDDLING, parameters.over_checked_nationalities, replace=False).tolist()))


def epoch_birth(group: People, span: Horizon) -> Ints:
    """Birth dates in days since 1970 (ages hold on the first day of the horizon)."""
    return span.origin + group.born
