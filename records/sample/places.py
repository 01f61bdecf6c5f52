"""Where people cross: which posts serve whom, how busy each is on each day, and when one is shut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.posts import Post, offices, posts
from records.sample.horizon import Horizon
from records.sample.parameters import COMMUTER, KINDS, TOURIST, TRUCKER, Parameters

MODES = ("air", "sea", "land")
AIR, SEA, LAND = range(3)

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Closure:
    """Post `post` is shut from day `first` to day `last`, both included."""

    post: int
    first: int
    last: int
    kind: str
    source: str


@dataclass(frozen=True)
class Places:
    """Posts as arrays in the order of `posts`.

    `group` joins posts that can stand in for one another: one mode, and one neighbour on land. `by_kind` (kinds,
    posts) holds cumulative weights of a journey of a kind to use a post, `by_group` (groups, posts) those of a detour.
    `load` (posts, days + 1) is the expected number of entries, `pressure` the same around its mean with the day's luck.
    `instead` (posts, days + 1) is the post that serves when one is shut; at `leaky` posts more exits go unrecorded.
    """

    posts: tuple[Post, ...]
    mode: Codes
    group: Codes
    opens: Codes
    closes: Codes
    libyan: npt.NDArray[np.bool_]
    by_kind: Floats
    by_group: Floats
    load: Floats
    pressure: Floats
    instead: Codes
    closures: tuple[Closure, ...]
    leaky: npt.NDArray[np.bool_]
    office_edges: Floats

    def post_for(self, kind: int, rng: np.random.Generator, n: int) -> Codes:
        """`n` posts drawn for journeys of a kind."""
        return np.searchsorted(self.by_kind[kind], rng.random(n))

    def detour(self, post: Codes, rng: np.random.Generator) -> Codes:
        """Another post that could have served, for each of `post` (the same one where there is no other)."""
        out = post.copy()
        chance = rng.random(len(post))
        for group, edges in enumerate(self.by_group):
            here = np.flatnonzero(self.group[post] == group)
            out[here] = np.searchsorted(edges, chance[here])
        return out


def places(span: Horizon, parameters: Parameters, weight: Floats, crossings: float, rng: np.random.Generator) -> Places:
    """The posts of a world of about `crossings` crossings whose kinds travel by the day weights `weight`."""
    all_posts = posts()
    mode = np.array([MODES.index(p.mode) for p in all_posts])
    size = np.array([p.weight for p in all_posts])
    libyan = np.array([p.neighbour == "LBY" for p in all_posts])
    group = np.where(mode == LAND, LAND + libyan, mode)
    by_kind = np.stack([_shares(kind.modes, mode, size) for kind in KINDS])
    by_group = np.stack([np.sqrt(size) * (group == g) for g in range(4)])
    share = np.array([kind.share for kind in KINDS])
    load = crossings / 2 / span.days * np.einsum("k,kp,kd->pd", share, by_kind, weight)
    closures = _closures(span, mode, group, rng)
    instead = np.tile(np.arange(len(all_posts))[:, None], (1, span.days + 1))
    for closure in closures:
        if closure.kind == "closed":
            others = np.flatnonzero((group == group[closure.post]) & (np.arange(len(size)) != closure.post))
            instead[closure.post, closure.first : closure.last + 1] = others[np.argmax(size[others])]
    leaky = np.zeros(len(all_posts), dtype=bool)
    leaky[rng.choice(np.flatnonzero(mode == LAND), 2, replace=False)] = True
    office_weight = np.array([o.weight for o in offices()])
    return Places(
        posts=all_posts,
        mode=mode,
        group=group,
        opens=np.array([p.opens_hour for p in all_posts]),
        closes=np.array([p.closes_hour for p in all_posts]),
        libyan=libyan,
        by_kind=_edges(by_kind),
        by_group=_edges(by_group),
        load=load,
        pressure=load / load.mean(axis=1, keepdims=True) * np.exp(rng.normal(0, 0.25, load.shape)),
        instead=instead,
        closures=closures,
        leaky=leaky,
        office_edges=_edges(office_weight[None, :])[0],
    )


def _shares(modes: tuple[float, float, float], mode: Codes, size: Floats) -> Floats:
    within = np.array([size[mode == m].sum() for m in range(3)])
    return np.asarray(np.asarray(modes)[mode] * size / within[mode])


def _edges(weight: Floats) -> Floats:
    edges = np.cumsum(weight, axis=1)
    return np.asarray(edges / edges[:, -1:])


def _closures(span: Horizon, mode: Codes, group: Codes, rng: np.random.Generator) -> tuple[Closure, ...]:
    """Storms shut ports for a day or two, disputes shut land crossings for up to ten days; staff shortages limit."""
    found: list[Closure] = []
    years = max(1, round(span.days / 365))
    for which, per_year, longest, source in (
        (SEA, 4, 2, "port authority"),
        (LAND, 3, 10, "governorate"),
        (AIR, 2, 1, "civil aviation office"),
    ):
        candidates = np.flatnonzero(mode == which)
        for _ in range(per_year * years):
            first = int(rng.integers(0, max(1, span.days - longest - 30)))
            post = int(rng.choice(candidates))
            # A whole airport never closes here, and neither does the only stand-in of a group.
            kind = "limited" if which == AIR or rng.random() < 0.4 or (group == group[post]).sum() < 3 else "closed"
            found.append(Closure(post, first, first + int(rng.integers(0, longest)), kind, source))
    return tuple(found)


def neighbours_only(kind: int) -> bool:
    """Whether a kind of traveller, by land, comes from the country on the other side."""
    return kind in (TOURIST, COMMUTER, TRUCKER)
