"""The engine's learner with the manners of scikit-learn: fit, predict_proba, get_params, clone.

    RiskClassifier("seen_at").fit(cases, found).predict_proba(new_cases)

Cases are a table, of Arrow or pandas, one row each, in any order. Their time decides which teach, the earlier, and
which choose and calibrate, the latest. New cases are read as the last part of a backtest is: text as its history of
findings until the end of training. That history is why the cases that taught stay with the estimator; it is for
notebooks and trials, and what goes into service is a declared model, which keeps no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from models.risk.backtest import Prepared, encoded
from models.risk.calibration import choose
from models.risk.encoding import TEST, TRAIN, VALID, Matrix, encode, is_number, is_text
from models.risk.examiners import ahead
from models.risk.profiles import PROFILES, fit
from models.risk.sources import Columns, Examples, plain, whole
from records.errors import BadInput

_LABEL, _ROW = "_found", "_row"


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Calibrated probabilities from the mean of a few boosted-tree models; from logistic regression where an examiner
    is averaged out and trees are not ahead of it.

    `time` names the column with each case's moment, `examiner` that of who looked. `latest` is the share of rows, the
    last ones, that choose and calibrate. `monotone` gives directions (+1, -1) of named columns, `delay` the days until
    an outcome is known; `exclude` are never read, `allow` are although they look like leaks.
    """

    def __init__(
        self,
        time: str,
        *,
        profile: str = "shipped",
        seeds: int | None = None,
        latest: float = 0.2,
        monotone: Mapping[str, int] | None = None,
        examiner: str | None = None,
        delay: int = 0,
        exclude: tuple[str, ...] = (),
        allow: tuple[str, ...] = (),
    ) -> None:
        self.time = time
        self.profile = profile
        self.seeds = seeds
        self.latest = latest
        self.monotone = monotone
        self.examiner = examiner
        self.delay = delay
        self.exclude = exclude
        self.allow = allow

    def fit(self, X: Any, y: Any) -> RiskClassifier:
        """Learn from cases `X` and their outcomes `y` (0, 1, or NaN where nobody looked).

        BadInput, with what to do, where they cannot support a model.
        """
        if self.profile not in PROFILES:
            raise BadInput(f"There is no profile '{self.profile}'. Choose among: {', '.join(PROFILES)}.")
        table, label = _table(X), np.asarray(y, dtype=np.float64)
        if len(label) != table.num_rows:
            raise BadInput(f"There are {table.num_rows} cases and {len(label)} outcomes. Give one for each case.")
        table = table.append_column(_LABEL, pa.array(label, from_pandas=True))
        table = _in_order(table).append_column(_ROW, pa.array(np.arange(len(label))))
        columns = Columns(_LABEL, self.time, _ROW, tuple(self.exclude), allow=tuple(self.allow), examiner=self.examiner)
        examples = _cut(whole(table, columns, delay=timedelta(days=self.delay)), self.latest)
        ready = encoded(examples, columns)
        learn, stop = ready.part(TRAIN), ready.part(VALID)
        directed = {name: way for name, way in (self.monotone or {}).items() if name in ready.matrix.names}
        self.search_ = fit(learn, stop, PROFILES[self.profile], seeds=self.seeds, monotone=directed)
        raw = self.search_.trees.raw
        if ready.looking is not None and stop[0].offset is not None:
            floor = ready.looking.floor.raw
            raw = raw if ahead(raw(stop[0]), floor(stop[0]), stop[1], stop[0].offset) else floor
        self.calibrator_, self.calibration_losses_ = choose(raw(stop[0]), stop[1])
        self.warnings_ = ready.warnings
        self.classes_ = np.array([0, 1])
        self._learnt = _Learnt.of(ready, columns)
        self.feature_names_in_ = np.array([self.time, *self._learnt.features], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self._raw = raw
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Raw scores (n,) in log-odds, to order cases by."""
        if not hasattr(self, "_learnt"):
            raise NotFittedError("This RiskClassifier has not learnt yet. Call fit with cases and outcomes first.")
        return np.asarray(self._raw(self._learnt.read(_table(X), self.time)))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities (n, 2) of no finding and of a finding."""
        raw = self.decision_function(X)
        chance = self.calibrator_(raw)
        return np.column_stack([1 - chance, chance])

    def predict(self, X: Any) -> np.ndarray:
        """1 where a finding is more likely than not. To choose whom to look at, order by probability instead."""
        return (self.predict_proba(X)[:, 1] > 0.5).astype(np.int64)


@dataclass(frozen=True)
class _Learnt:
    """The cases that taught, for the history of each text; `names` are the columns of the matrix they were read as."""

    examples: Examples
    features: tuple[str, ...]
    names: tuple[str, ...]
    worth: np.ndarray | None

    @classmethod
    def of(cls, ready: Prepared, columns: Columns) -> _Learnt:
        named = {columns.label, columns.time, columns.row_id, columns.examiner, *columns.exclude}
        names = (n for n in ready.examples.table.column_names if n not in named and n not in ready.left_out)
        worth = None if ready.looking is None else ready.looking.worth
        return cls(ready.examples, tuple(names), ready.matrix.names, worth)

    def read(self, table: pa.Table, time: str) -> Matrix:
        """The matrix of new cases, read as of the end of training. BadInput for a column that is lacking."""
        lacking = [name for name in (time, *self.features) if name not in table.column_names]
        if lacking:
            raise BadInput(f"These cases lack {', '.join(lacking)}, which the model learnt from. Add the columns.")
        past, new = self.examples.table.select([time, *self.features]), table.select([time, *self.features])
        rows = pa.concat_tables([past, new.cast(past.schema)])
        moments = np.asarray(rows.column(time).to_numpy(), dtype="datetime64[us]")
        split = np.append(self.examples.split, np.full(new.num_rows, TEST))
        labels = np.append(self.examples.labels, np.full(new.num_rows, np.nan))
        # All that taught is known by now, whenever the new cases took place.
        known = np.full(len(moments), moments.min())
        worth = None if self.worth is None else np.append(self.worth, np.ones(new.num_rows))
        matrix = encode({name: rows.column(name) for name in self.features}, moments, split, labels, known, worth)
        at = [matrix.names.index(name) for name in self.names]
        values = matrix.values[len(past) :][:, at]
        return Matrix(values, self.names, tuple(matrix.kinds[place] for place in at))


def _cut(examples: Examples, latest: float) -> Examples:
    """The last rows choose and calibrate; a label that was not known when they begin does not teach."""
    if not 0 < latest < 1:
        raise BadInput(f"`latest` is the share of rows that chooses, above 0 and below 1, not {latest}.")
    begins = examples.time[min(int(len(examples.time) * (1 - latest)), len(examples.time) - 1)]
    split = np.where(examples.time < begins, TRAIN, VALID)
    late = (split == TRAIN) & (examples.known > begins)
    return replace(examples, split=split, labels=np.where(late, np.nan, examples.labels), open_rows=int(late.sum()))


def _in_order(table: pa.Table) -> pa.Table:
    """The rows by what they hold, so that cases of one moment stand alike however they came."""
    plain_ones = [f.name for f in table.schema if is_number(f.type) or is_text(f.type)]
    return table.sort_by([(name, "ascending") for name in plain_ones])


def _table(cases: Any) -> pa.Table:
    """An Arrow table of an Arrow table, a pandas frame, or columns by name."""
    if isinstance(cases, pa.Table):
        return plain(cases)
    if isinstance(cases, Mapping):
        return plain(pa.table(dict(cases)))
    if hasattr(cases, "to_numpy") and hasattr(cases, "columns"):
        return plain(pa.Table.from_pandas(cases, preserve_index=False))
    raise BadInput(f"Cases must be a table of Arrow or pandas, with named columns, not {type(cases).__name__}.")
