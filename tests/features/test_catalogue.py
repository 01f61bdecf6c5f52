from __future__ import annotations

import re

import pytest

from features.catalogue import features
from features.declaration import LANGUAGES
from features.groups import GROUPS


def test_the_catalogue_is_as_wide_as_an_analyst_expects() -> None:
    assert len([f for f in features("crossing").values() if f.role == "model"]) >= 60
    assert len([f for f in features("permit").values() if f.role == "model"]) >= 30


@pytest.mark.parametrize("kind", ["crossing", "permit"])
def test_every_feature_can_be_published_and_read_aloud(kind: str) -> None:
    for feature in features(kind).values():
        assert feature.doc.endswith("."), feature.name
        assert feature.group in GROUPS, feature.name
        assert set(feature.texts) == set(LANGUAGES), feature.name
        for text in feature.texts.values():
            assert set(re.findall(r"{(\w+)}", text)) == {"value"}, feature.name
        assert re.search("[\u0600-\u06ff]", feature.texts["ar"]), feature.name


def test_every_group_has_a_name_in_every_language() -> None:
    for texts in GROUPS.values():
        assert set(texts) == set(LANGUAGES)
    used = {f.group for kind in ("crossing", "permit") for f in features(kind).values()}
    assert used == set(GROUPS)
