"""What would have changed a band: it does when applied, nothing smaller does, and only what may be named is."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.catalogue import features
from models.risk.counterfactual import changed, showable, split_points, what_would_change
from records.errors import BadInput
from tests.serving.explained import READS, STATES, drawn, model

MODEL = model()
LEVELS = (None, None, *STATES)


def table(row) -> pa.Table:
    cells = [None if np.isnan(v) else v for v in row]
    held = {name: pa.array([v], pa.float64()) for name, v in zip(READS, cells, strict=True)}
    held["address_declared"] = pa.array([cells[3] == 1])
    held["permit_state"] = pa.array([LEVELS[int(cells[4])]], pa.string())
    return pa.table(held)


def band(row: pa.Table) -> str:
    return str(MODEL.score(row).band[0])


def tried(name: str) -> list:
    """Far more values than the trees tell apart."""
    if name == "address_declared":
        return [False, True]
    points = split_points(MODEL)[name]
    return [*points, *(np.nextafter(p, np.inf) for p in points), *np.linspace(-50, 1000, 60)]


def reached(row: pa.Table, names) -> set[str]:
    """Every band that changing these features can lead to, by brute force."""
    columns = [tried(name) for name in names]
    grid = np.meshgrid(*[np.arange(len(c)) for c in columns], indexing="ij")
    picked = [[c[i] for i in g.ravel()] for c, g in zip(columns, grid, strict=True)]
    rows = row.take(pa.array([0] * len(picked[0])))
    for name, values in zip(names, picked, strict=True):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values))
    return set(map(str, MODEL.score(rows).band))


@given(seed=st.integers(0, 10_000))
@hypothesis_settings(max_examples=12, deadline=None)
def test_every_change_leads_where_it_says_and_no_smaller_one_does(seed):
    row = table(drawn(np.random.default_rng(seed), 1)[0])
    order = [name for name, _ in MODEL.bands.least]
    now = order.index(band(row))
    found = what_would_change(MODEL, row)
    for what_if in found:
        after = changed(row, what_if.changes)
        assert band(after) == what_if.band != band(row)
        assert MODEL.score(after).probability[0] == what_if.probability
        assert what_if.way == ("lower" if order.index(what_if.band) < now else "higher")
        assert all(c.was == row[c.feature][0].as_py() != c.would_be for c in what_if.changes)
    known = [i.name for i in showable(MODEL) if row[i.name][0].as_py() is not None]
    for way, wanted in (("lower", set(order[:now])), ("higher", set(order[now + 1 :]))):
        sizes = {len(w.changes) for w in found if w.way == way}
        assert len(sizes) <= 1
        alone = {(name,) for name in known if reached(row, (name,)) & wanted}
        if alone:
            assert {tuple(c.feature for c in w.changes) for w in found if w.way == way} == alone
        else:
            pairs = {names for names in combinations(known, 2) if reached(row, names) & wanted}
            assert {tuple(c.feature for c in w.changes) for w in found if w.way == way} == pairs


def test_only_what_is_marked_is_named():
    names = {i.name for i in showable(MODEL)}
    assert names == {"days_to_document_expiry", "declared_stay_days", "address_declared"}
    for seed in range(30):
        row = table(drawn(np.random.default_rng(seed), 1)[0])
        assert {c.feature for w in what_would_change(MODEL, row) for c in w.changes} <= names


def test_what_is_not_known_is_not_changed():
    row = table([10, np.nan, 60, 0, 3, 1, 1])
    assert all(c.was is not None for w in what_would_change(MODEL, row) for c in w.changes)


def test_values_are_as_short_as_they_can_be():
    for seed in range(20):
        row = table(drawn(np.random.default_rng(seed), 1)[0])
        for what_if in what_would_change(MODEL, row):
            for change in what_if.changes:
                if isinstance(change.would_be, float):
                    assert len(repr(change.would_be)) < 8, change


def test_more_than_one_row_is_refused():
    with pytest.raises(BadInput, match="asked of one row"):
        what_would_change(MODEL, pa.concat_tables([table([1] * 7)] * 2))


@pytest.mark.parametrize("kind", ["crossing", "permit"])
def test_the_catalogue_marks_only_what_a_model_may_read_of_the_person(kind):
    for feature in features(kind).values():
        if feature.showable:
            assert (feature.role, feature.tier.value) == ("model", "free")
            assert not any(column.startswith(("alerts.", "checks.")) for column in feature.reads)
