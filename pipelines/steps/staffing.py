"""The staffing of one post under any promise, from the newest published run."""

from __future__ import annotations

import numpy as np

from models.volumes.desks.posts import Staffed, booths_at, staffed
from models.volumes.desks.staffing import Promise
from models.volumes.publishing.nightly import labels_of
from models.volumes.publishing.published import newest
from records.errors import BadInput
from records.lake import Lake
from records.settings import Settings


def staff_post(settings: Settings, post: str, promise: Promise) -> dict[str, tuple[np.ndarray, Staffed]]:
    """Hours (datetime64) and the plan by direction. BadInput where the run has no such post."""
    run = newest(settings.home / "volumes")
    told = run.paths()
    labels = [labels_of(node) for node in told.nodes]
    if post not in (posts := sorted({own["post"] for own in labels})):
        raise BadInput(f"The newest run has no post {post!r}. It has {', '.join(posts)}.")
    known = Lake.open(settings.lake).as_known("posts", run.card().as_of, ["post", "booths", "happened_at"])
    hours = np.unique(run.table("hours", ["ds"], [("level", "=", "nation")])["ds"].to_numpy())
    return {
        own["direction"]: (hours, staffed(post, own["direction"], paths.T, booths_at(known).get(post, 1), promise))
        for own, paths in zip(labels, told.hours, strict=True)
        if own["post"] == post
    }
