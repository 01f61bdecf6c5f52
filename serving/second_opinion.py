"""What a straight line over the same inputs says of a case, beside the trees that scored it.

It is asked when somebody looks, of the inputs that the assessment carries and the model that made it, so that it is the
same at every look. The score, its reasons and the proposal stay those of the trees; at a place with few findings of its
own, or none, the line is the one to lean on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.risk.fallback import LEAST
from models.risk.model import RiskModel
from records.errors import BadInput
from serving.assessment import Assessment
from serving.house import House
from serving.languages import Language
from serving.places import name_of, place_kind
from serving.replay import tables_of


@dataclass(frozen=True)
class SecondOpinion:
    """The line's `probability` and its `band`, and whether that is the band of the score (`agrees`).

    `learnt` counts the known outcomes of the case's place in training, None where the model knows no places; `leads`
    says that they are too few for the trees.
    """

    probability: float
    band: str
    agrees: bool
    leads: bool
    learnt: int | None


def second_opinion(house: House, assessment: Assessment) -> SecondOpinion | None:
    """None where there is no score, nobody may see it yet, or the model was trained without a line or can no longer be
    read."""
    if assessment.model is None or assessment.score is None or assessment.blind:
        return None
    try:
        model = house.model(assessment.model)
    except BadInput:  # what stands beside a case keeps nobody from it: a replay says what is wrong with its model
        return None
    return _asked(model, assessment)


def _asked(model: RiskModel, assessment: Assessment) -> SecondOpinion | None:
    second = model.second
    if second is None:
        return None
    _, row = tables_of(assessment)
    if second.post is not None and second.post not in row.column_names:
        row = row.append_column(second.post, pa.array([assessment.place], pa.string()))
    chance, leads = (part[0] for part in model.second_opinion(row))
    band = str(model.band(np.array([chance]))[0])
    learnt = None if second.post is None else second.rows.get(str(row[second.post][0].as_py()), 0)
    return SecondOpinion(float(chance), band, band == assessment.band, bool(leads), learnt)


def in_words(opinion: SecondOpinion, assessment: Assessment, reader: Language) -> tuple[str, ...]:
    """What the line says, whether that is what the score says, and whether to lean on it here."""
    chance = reader.say("score.per_hundred", score=reader.per_hundred(opinion.probability))
    said = reader.say("second.says", chance=chance, band=reader.say(f"band.{opinion.band}"))
    agrees = reader.say("second.agrees" if opinion.agrees else "second.differs")
    if not opinion.leads:
        return (said, agrees)
    place = name_of(assessment.place, place_kind(assessment.event_kind), reader)
    if opinion.learnt:
        why = reader.say("second.few", opinion.learnt, place=place, least=reader.number(LEAST, 0))
    else:
        why = reader.say("second.unseen", place=place)
    return (said, agrees, why)
