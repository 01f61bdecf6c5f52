"""The audit by group of a champion, and of those who chose before it: rows from the lake, attributes from the vault,
tables to the casework store, and every reading of the vault to the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence import selection
from evidence.groups import Audit, Outcomes, View, audit_vault, proxies_vault, top, worst_off_vault
from evidence.parity import TooSmall, WorstOff
from evidence.proxies import Proxy
from features.spine import crossing_spine
from models.risk.catalogue import declaration
from models.risk.declaration import RiskDeclaration
from models.risk.learners import Candidate
from models.risk.less_discriminatory import SEEDS, Recipe, grown, masked
from models.risk.model import RiskModel
from models.risk.profiles import PROFILES
from models.risk.training import joined
from pipelines.steps.building import BEGINNING, assessable, similar_values, training_values
from pipelines.steps.moments import known_until
from pipelines.steps.sampling import drawn
from records import journal
from records.errors import BadInput
from records.journal import Actor
from records.keys import keys
from records.lake import Lake
from serving import audits
from serving.accounts import require
from serving.audits import Kept
from serving.capabilities import Capability
from serving.house import House
from serving.store import writing

Say = Callable[[str], None]
ROWS = 200_000  # crossings whose selection is looked at, at most, drawn by their numbers
OF_PRACTICE = ("selection", "confirmation", "long_wait")  # what was missed, those who were chosen cannot tell
# How trees grow when parity with a column and without is compared: both times the same way.
PLAIN = Candidate(
    "plain",
    ("number", "category"),
    {"learning_rate": 0.08, "num_leaves": 31, "max_depth": 6, "min_data_in_leaf": 50, "lambda_l2": 10},
)
EVENED = ("sex", "age")  # nationality has groups too small for most training rows
LARGE = 500  # rows of a group for the search: with fewer, parity is mostly chance
PRACTICE, CONTROL, KNOWN = "practice", "random", "known"


def audit_model(
    house: House,
    name: str,
    attributes: Sequence[str],
    actor: Actor,
    say: Say,
    *,
    since: datetime | None = None,
    proxies: bool = False,
) -> Kept:
    """Audit the champion of `name` by `attributes` of its subjects; the audit as it was kept.

    With `proxies`, also what its inputs tell of the attributes, and parity without each of the leakiest.

    The journal is told before the vault is opened. NotAllowed unless the actor may audit; BadInput without a champion,
    or for an attribute that is not audited.
    """
    require(actor, Capability.AUDIT)
    model, declared = house.champion(name), declaration(name)
    if model is None:
        raise BadInput(f"There is no champion '{name}' to audit yet. Train one and promote it first.")
    views = [view for view in views_of(house, declared, model, since or BEGINNING, say) if len(view.subjects)]
    say(f"{name}: {', '.join(f'{len(view.subjects):,} {view.name}' for view in views)}, by {', '.join(attributes)}")
    found = audit_views(house, declared, model.hash, views, attributes, actor)
    stand_in = _proxies(house, declared, model, attributes, actor, say) if proxies else ()
    kept = Kept(name, model.hash, datetime.now(UTC), actor.name, found, stand_in)
    with writing(house.engine) as connection:
        audits.save(connection, actor, kept)
    return kept


def audit_views(
    house: House, declared: RiskDeclaration, model: str, views: Sequence[View], attributes: Sequence[str], actor: Actor
) -> Audit:
    """Tables by group of the subjects of `views`, whom the model (by hash) or others selected; the journal is told who
    asks for how many of them before the vault is opened."""
    primary, whose = declared.primary, {view.name: len(view.subjects) for view in views}
    first = None if primary is None else [primary.rate, primary.attribute]
    url = told(house, declared.name, model, whose, attributes, actor, first)
    return audit_vault(url, keys(house.settings.keys), views, attributes, primary=primary)


def told(
    house: House,
    name: str,
    model: str,
    subjects: Mapping[str, int],
    attributes: Sequence[str],
    actor: Actor,
    primary: Sequence[str] | None = None,
) -> str:
    """Where the vault is opened, once it is written down who is about to read which attributes of how many subjects,
    and what for. BadInput in production where the audit has no account of its own."""
    url = house.audit_vault_url
    asked = {"purpose": name, "model": model, "attributes": list(attributes), "subjects": subjects, "primary": primary}
    with writing(house.engine) as connection:
        journal.append(connection, kind="vault_read", actor=actor, payload=asked)
    return url


def evened(house: House, name: str, actor: Actor, subjects: pa.ChunkedArray, moments: np.ndarray) -> WorstOff | None:
    """How evenly candidates of the model `name` select among these subjects, for a search that learns one number of
    each; None where their groups are too small. The journal is told before the vault is opened."""
    url = told(house, name, "", {"training": len(subjects)}, EVENED, actor)
    try:
        return worst_off_vault(url, keys(house.settings.keys), subjects.combine_chunks(), moments, EVENED, least=LARGE)
    except TooSmall:
        return None


def views_of(house: House, declared: RiskDeclaration, model: RiskModel, since: datetime, say: Say) -> list[View]:
    """Who was checked for a cause, and what the model would have selected among those that tell of everyone."""
    values, labels = training_values(house.settings, declared.name, say)
    at = pc.index_in(labels.table["event"], value_set=values["event"].combine_chunks())
    known = labels.table.append_column("_at", at).filter(pc.is_valid(at))
    rows = values.take(known["_at"])
    label = np.asarray(known["label"].to_numpy(), dtype=np.float64)
    # Where nobody chose, everyone's outcome is on record; else the draw and certain checks tell of everyone.
    crossing = declared.subject_kind == "crossing"
    chances = np.ones(len(label))
    if crossing:
        selected_by, given = (known[name].to_numpy(zero_copy_only=False) for name in ("selected_by", "probability"))
        chances = selection.declared(selected_by, np.asarray(given, dtype=np.float64))
    moments = rows["as_of"].to_numpy().astype("datetime64[us]")
    newer = moments >= max(np.datetime64(model.trained_from["validation"][0]), _moment(since))
    told = newer & (chances > 0)
    score = model.score(rows.filter(pa.array(told)))
    weights = 1 / chances[told]
    chosen = top(score.raw, declared.capacity, weights)
    outcomes = Outcomes(label[told], chosen, score.probability, weights)
    subjects = rows["subject"].filter(pa.array(told)).combine_chunks()
    view = View(CONTROL if crossing else KNOWN, subjects, moments[told], outcomes, declared.capacity)
    return [_practice(Lake.open(house.settings.lake), since), view] if crossing else [view]


def _practice(lake: Lake, since: datetime) -> View:
    """Crossings that could have been checked since checks are on record: which were, for a cause, what was found, and
    how long each waited at the booth and in the check together."""
    at = known_until(lake)
    checks = lake.as_known("checks", at, ["event_kind", "event", "selected_by", "finding", "minutes", "happened_at"])
    checks = checks.filter(
        pc.and_(pc.equal(checks["event_kind"], "crossing"), pc.not_equal(checks["finding"], "not_checked"))
    )
    checks = checks.filter(pc.greater_equal(checks["happened_at"], pa.scalar(since, checks["happened_at"].type)))
    begins = pc.min(checks["happened_at"]).as_py() or at
    spine = drawn(assessable(crossing_spine(lake, begins, at)), ROWS)
    crossings = lake.as_known("crossings", at, ["crossing_id", "booth_wait_minutes"])
    booth = _beside(spine["event"], crossings["crossing_id"], crossings["booth_wait_minutes"])
    cause = checks.filter(pc.not_equal(checks["selected_by"], "random"))
    chosen = np.asarray(pc.is_in(spine["event"], value_set=cause["event"].combine_chunks())).astype(np.float64)
    decided = checks.filter(pc.is_in(checks["finding"], value_set=pa.array(["confirmed", "refuted"])))
    labels = _beside(spine["event"], decided["event"], pc.cast(pc.equal(decided["finding"], "confirmed"), pa.float64()))
    checked = np.nan_to_num(_beside(spine["event"], checks["event"], checks["minutes"]))
    promised = np.full(len(chosen), np.nan)
    outcomes = Outcomes(labels, chosen, promised, minutes=booth + checked, rates=OF_PRACTICE)
    moments = spine["happened_at"].to_numpy().astype("datetime64[us]")
    share = float(chosen.mean()) if len(chosen) else 0.0
    return View(PRACTICE, spine["subject"].combine_chunks(), moments, outcomes, share)


def _proxies(
    house: House, declared: RiskDeclaration, model: RiskModel, attributes: Sequence[str], actor: Actor, say: Say
) -> tuple[Proxy, ...]:
    """What the champion's inputs tell of attributes among all who are scored, and how evenly models grown on the
    champion's training rows select among them, with each column and without."""
    settings = house.settings
    values, labels = training_values(settings, declared.name, say)
    everyone = similar_values(settings, declared.name, values, say)
    moments = everyone["as_of"].to_numpy().astype("datetime64[us]")
    rows = joined(values, labels)
    rows = rows.filter(pa.array(rows["as_of"].to_numpy() < np.datetime64(model.trained_from["validation"][0])))
    learn = (model.matrix(rows), np.asarray(rows["label"].to_numpy(), dtype=np.float64))
    judged = model.matrix(everyone)

    def grown_without(column: str | None) -> np.ndarray:
        say(f"{declared.name}: growing {'as it is' if column is None else f'without {column}'}")
        recipe = Recipe(PLAIN, column)
        return grown(recipe, learn, None, SEEDS, PROFILES["shipped"].rounds, declared.monotone).raw(
            masked(judged, column)
        )

    columns = {name: judged.values[:, n] for n, name in enumerate(judged.names)}
    nothing = np.full(everyone.num_rows, np.nan)
    subjects = pc.coalesce(everyone["subject"], everyone["event"]).combine_chunks()
    view = View("", subjects, moments, Outcomes(nothing, nothing, nothing), declared.capacity)
    as_it_is = grown_without(None)
    url = told(house, declared.name, model.hash, {"everyone": everyone.num_rows}, attributes, actor)
    return proxies_vault(url, keys(settings.keys), view, attributes, columns, as_it_is, grown_without)


def _beside(events: pa.ChunkedArray, named: pa.ChunkedArray, values: pa.ChunkedArray) -> np.ndarray:
    """The value of each event, NaN where there is none."""
    found = pc.take(values, pc.index_in(events, value_set=named.combine_chunks()))
    return np.asarray(pc.cast(found, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _moment(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")
