"""A comparison as a page: every contestant and every figure in each language, with pictures, and no text unused."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models.risk.comparing import Already, Cases, compare
from models.risk.contestants import LOGISTIC, SCORECARD, contestant, without
from models.risk.encoding import Matrix
from models.risk.folds import folds
from serving.comparisons import groups, page, pictures, who, words
from serving.drawing import Look
from serving.languages import LANGUAGES, language


@pytest.fixture(scope="module")
def told():
    random = np.random.default_rng(1)
    rows = 2_000
    x = random.normal(size=(rows, 2))
    labels = (random.random(rows) < 1 / (1 + np.exp(2 - x[:, 0]))).astype(np.float64)
    time = np.datetime64("2021-01-01", "us") + np.arange(rows) * np.timedelta64(4, "h")
    matrix = Matrix(x, ("a", "b"), ("number", "number"))
    cases = Cases(
        labels,
        time,
        tuple(folds(time, count=1)),
        lambda fold: (matrix.rows(fold.train), matrix.rows(fold.valid), matrix.rows(fold.test)),
        {"sex": pa.chunked_array([np.where(np.arange(rows) % 100, random.choice(["F", "M"], rows), "X").tolist()])},
        random.exponential(1.0, rows),
        random.choice(["north", "south"], rows).astype(object),
        {"north": 0.1, "south": 0.1},
    )
    everybody = [
        contestant(LOGISTIC),
        contestant(SCORECARD),
        without(contestant(LOGISTIC), {"b"}, "without post, stay"),
    ]
    already = [Already("rule points", np.round(x[:, 1])), Already("champion 0123abcd as it stands", x[:, 0])]
    return compare("secondary_check", cases, everybody, already, draws=20).as_json()


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_says_everything_in_each_language(told, code):
    reader = language(code)
    drawn = page(told, reader)
    assert f'dir="{reader.direction}"' in drawn
    assert reader.say("model.secondary_check") in drawn
    for standing in told["standings"]:
        assert who(standing["name"], reader) in drawn
    assert drawn.count("<svg") == len(list(pictures(told, Look(reader)))) == 6
    assert "var(--" not in drawn  # its paper has no colours to take over
    assert "http://" not in drawn.replace("http://www.w3.org", "")
    assert "compare." not in re.sub(r"<style>.*?</style>", "", drawn, flags=re.DOTALL)
    assert len(list(words(told, reader))) == sum(len(s["gains"]) for s in told["standings"])


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_table_says_how_everybody_selects_in_each_group_that_is_large_enough(told, code):
    reader = language(code)
    ((heading, few, (head, rows)),) = groups(told, reader)
    assert reader.say("attribute.sex") in heading
    assert few == reader.say("compare.groups.few", count=1)
    everybody = [who(standing["name"], reader) for standing in told["standings"]]
    names = [reader.say(f"audit.group.sex.{sex}") for sex in ("F", "M")] + [reader.say("compare.groups.ratio")]
    assert [(row[0], row[1]) for row in rows] == [(name, each) for name in names for each in everybody]
    assert {len(row) for row in rows} == {len(head)} == {7}
    assert heading in page(told, reader)


def test_contestants_are_named_in_the_reader_s_words(told):
    french = language("fr")
    assert who(f"{LOGISTIC}, by expected value", french) == "régression logistique, par valeur attendue"
    assert who("champion 0123abcd as it stands", french) == "champion 0123abcd tel qu'il est"
    assert who("without post, stay", french).startswith("arbres boostés sans ")
    assert "post" not in who("without post, stay", language("ar"))
    assert who("somebody", french) == "somebody"


def test_no_text_of_a_comparison_is_without_use():
    rooms = Path(__file__).parents[2] / "serving"
    source = "".join(
        p.read_text(encoding="utf-8") for p in (rooms / "comparisons.py", rooms / "pages" / "comparison.html")
    )
    kinds = ("ranking", "capacities", "values", "calibration", "stability", "groups")
    made = {f"compare.{kind}.{part}" for kind in kinds for part in ("title", "how")}
    made |= {f"compare.axis.{stem}" for stem in ("precision", "value")}
    made |= {f"compare.held.{part}" for part in ("seed", "bootstrap", "month", "reasons")}
    names = ("shipped", "large", "catboost", "logistic_regression", "scorecard", "rule_score", "rule_points")
    made |= {f"compare.who.{name}" for name in names}
    texts = {key for key in language("en").texts if key.startswith("compare.")}
    assert made <= texts
    assert {key for key in texts - made if key not in source} == set()
