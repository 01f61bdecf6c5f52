"""What is on record about a candidate: everything that its gates decide on and its card says, and never a row.

A proof is made once, when a model was trained, and kept as JSON in a folder named by its content; the journal names
that folder when the model is promoted. It holds counts, figures with their intervals, and tables of groups and places
above the cell threshold.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from datetime import date
from functools import cache, cached_property
from itertools import repeat
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from evidence.groups import Audit
from evidence.intervals import Interval
from models import folder
from models.risk.less_discriminatory import Frontier
from models.risk.stability import Stability
from records.errors import BadInput

FILE = "proof.json"
EVERYONE = "everyone"
"""How a subject came to be looked at where nobody chooses: the outcome is on record for each."""


@dataclass(frozen=True)
class Findings:
    """How many outcomes could be used, how many of them were positive, and how many are needed for any model."""

    usable: int
    positives: int
    needed: int
    needed_positives: int


@dataclass(frozen=True)
class Looked:
    """Rows that were looked at for one reason (`how`; EVERYONE where nobody chooses), and what was found.

    `drawn` of them were selected with a known probability.
    """

    how: str
    rows: int
    positives: int
    drawn: int


@dataclass(frozen=True)
class Promised:
    """Mean probability promised to some rows, and the share of positives found; `note` where there is too little."""

    name: str
    rows: int
    positives: int
    promised: float | None
    found: Interval
    note: str | None = None


@dataclass(frozen=True)
class Calibrated:
    """Calibration error on test rows, beside what a perfectly calibrated model of as many rows would show by chance.

    `by_chance` is its mean and `at_most` its 95th percentile over as many draws as `draws`; `slope` is that of the
    outcome's log-odds over the promised ones, 1 where promises are neither too bold nor too timid. All of this is of
    checked rows and of what the model promises about them; where the random control showed that everyone is less
    risky, what is shown to people is moved to that, and `control` holds it against the control's test rows.
    """

    error: Interval
    by_chance: float
    at_most: float
    draws: int
    slope: Interval
    bands: tuple[Promised, ...]
    places: tuple[Promised, ...]
    control: Promised

    @property
    def excess(self) -> float | None:
        """Error beyond what chance explains."""
        return None if self.error.value is None else self.error.value - self.by_chance


@dataclass(frozen=True)
class Gained:
    """PR-AUC of the candidate minus that of `over`, on the same `rows` redrawn by the same days."""

    over: str
    gain: Interval
    rows: int


@dataclass(frozen=True)
class WhoLooked:
    """How much of what can be predicted is only who looked: `share`, over so many `examiners`."""

    share: Interval
    examiners: int


@dataclass(frozen=True)
class WhereFew:
    """Test rows at places where the second opinion leads: mean log loss of the trees and of the line, and the line's
    minus the trees' on the same redrawn days. Below 0 the line is the better one."""

    rows: int
    trees: Interval
    line: Interval
    apart: Interval


@dataclass(frozen=True)
class Proof:
    """All there is on record about the candidate `model` (the hash of its folder), which `name` declares.

    `figures`: who (model, logistic regression, base rate) to metric to figure, on test rows. `over_floor` compares with
    logistic regression, `over_champion` with the champion of the day, if there was one. `control` is the precision at
    capacity among all, from the random control alone. `profile` names the budget of trees that was grown in.
    """

    name: str
    model: str
    learnt_from: str
    made_on: date
    periods: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, Any]
    counts: Mapping[str, int]
    parameters: Mapping[str, Any]
    profile: str
    findings: Findings
    looked: tuple[Looked, ...]
    examined: WhoLooked | None
    figures: Mapping[str, Mapping[str, Interval]]
    over_floor: Gained
    over_champion: Gained | None
    champion: str | None
    control: Interval
    control_rows: int
    control_refused: str | None
    calibrated: Calibrated
    audit: Audit | None
    stability: Stability | None
    thin_places: Mapping[str, int]
    """Places with fewer labelled training rows than a model of their own would need, with their number of rows."""
    unseen_places: Mapping[str, int]
    """Places that training never saw, with their number of test rows."""
    where_few: WhereFew | None = None
    """Of a model with a second opinion."""
    frontier: Frontier | None = None
    """Where the less discriminatory equal was searched for; else `unsearched` says why not: unasked, or too_small."""
    unsearched: str | None = None

    @property
    def chosen(self) -> bool:
        """Whether somebody chose whom to look at, so that who looks may have a part in what was found."""
        return any(each.how != EVERYONE for each in self.looked)

    @cached_property
    def hash(self) -> str:
        """The content hash its folder is named by."""
        return folder.content_hash(self._files())

    def save(self, root: Path) -> Path:
        return folder.write(root, self._files())

    @classmethod
    def load(cls, path: Path) -> Proof:
        """The proof of a folder. BadInput where it was changed, or was made by another version of the engine.

        What an earlier version did not look at is None: its card has an empty field, and it cannot be promoted again.
        """
        content = json.loads(folder.read(path)[FILE])
        try:
            found = _read(cls, content)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"The proof '{path}' was made by another version ({error}). Train the model again."
            ) from error
        assert isinstance(found, cls)  # noqa: S101 - what was asked for
        # Its name is that of what was written then, even where this version would write more.
        vars(found)["hash"] = path.name
        return found

    def _files(self) -> dict[str, bytes]:
        return {FILE: json.dumps(plain(asdict(self)), indent=1, sort_keys=True, allow_nan=False).encode("utf-8")}


def plain(value: Any) -> Any:
    """A record as JSON can hold it: tuples as lists, dates as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _read(kind: Any, written: Any) -> Any:
    """`written` as the type `kind` says: dataclasses, tuples, mappings, dates and plain values, each perhaps None."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if written is None else _read(next(k for k in inside if k is not type(None)), written)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        told = [f for f in fields(kind) if f.name in written or f.default is MISSING]
        return kind(**{f.name: _read(hints[f.name], written[f.name]) for f in told})
    if origin is tuple:
        kinds = repeat(inside[0], len(written)) if inside[-1] is ... else inside
        return tuple(_read(of, each) for of, each in zip(kinds, written, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _read(inside[1], each) for key, each in written.items()}
    return date.fromisoformat(written) if kind is date else written


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Types of the fields of a dataclass, read from their text once, however many hundred of it a proof holds."""
    return get_type_hints(kind)
