"""Champions: promoted through gates by persons, rolled back by one call, and the journal says all of it."""

from dataclasses import replace

import pytest

from evidence.intervals import Interval
from models import tracking
from models.risk.gates import GATES
from models.risk.judging import FLOOR
from models.risk.proof import Findings, Gained
from models.risk.stability import Stability
from records import journal
from records.errors import BadInput
from records.settings import Mode
from serving import accounts, champions, promotion
from serving.accounts import NotAllowed
from serving.champions import Champion
from serving.house import House
from serving.store import writing
from tests.models.made_proof import audited, made_proof
from tests.serving.crossings import PURPOSE
from tests.serving.pages import actor_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(autouse=True)
def aliases(monkeypatch):
    """What MLflow's aliases would be, by purpose: MLflow itself is tried in test_tracking.py, and slow to start."""
    found = {}
    monkeypatch.setattr(tracking, "follow", lambda uri, name, hash: found.__setitem__(name, hash))
    monkeypatch.setattr(tracking, "champion", lambda uri, name: found.get(name))
    return found


@pytest.fixture
def house(installation):
    return House(installation.settings, installation.engine)


@pytest.fixture
def actor(installation):
    return lambda role: actor_of(installation, role)


@pytest.fixture
def train(house, model, actor):
    """Leaves a candidate, as training does: its folder, its proof, and the entry that says whose it is."""

    def trained(by="data_scientist", seeds=1, learnt_from="sample", **changes):
        made = replace(model, trained_from={"seeds": seeds})
        made.save(house.settings.models)
        proof = made_proof(made, learnt_from=learnt_from, **changes)
        proof.save(house.settings.proofs)
        who = accounts.engine_actor(house.engine, house.settings.keys) if by == "engine" else actor(by)
        with writing(house.engine) as connection:
            champions.record_candidate(connection, who, Champion(PURPOSE, made.hash, learnt_from), proof.hash)
        return made.hash

    return trained


def named(house):
    with house.engine.connect() as connection:
        found = champions.champions(connection).get(PURPOSE)
    return found.model if found else None


def moves(house):
    with house.engine.connect() as connection:
        return champions.moves(connection, PURPOSE)


def over(champion):
    return {"over_champion": Gained(champion, Interval(0.01, -0.01, 0.03), 900), "champion": champion}


def test_another_person_promotes_through_every_gate_and_the_journal_says_who_when_why_and_on_what(
    house, train, actor, aliases
):
    model = train()
    told = promotion.promote(house, actor("oversight"), PURPOSE, why="spring")
    assert told.passed
    assert named(house) == aliases[PURPOSE] == model
    (move,) = moves(house)
    assert (move.who, move.how, move.model, move.before, move.why) == ("oversight", "promoted", model, None, "spring")
    assert [gate.name for gate in move.gates] == list(GATES)
    assert move.evidence == told.evidence
    assert set(move.evidence) == {"proof", "card"}
    assert journal.verify(house.engine).sound
    promotion.promote(house, actor("oversight"), PURPOSE)
    assert len(moves(house)) == 1  # naming it again changes nothing


SPOILED = {
    "better": {"over_floor": Gained(FLOOR, Interval(-0.05, -0.09, -0.01), 900)},
    "calibrated": {"calibrated": None},
    "groups": {"audit": audited(0.9)},
    "stable": {"stability": Stability(1000, 4, 1200, 4, 0.9, 0.1, {"papers": 0.1}, 0.2)},
    "complete": {"examined": None},
}


@pytest.mark.parametrize("gate", SPOILED)
def test_a_refusal_is_written_down_and_nothing_moves(house, train, actor, aliases, model, gate):
    changes = SPOILED[gate]
    if gate == "calibrated":
        off = made_proof(model).calibrated
        changes = {"calibrated": replace(off, error=Interval(0.2, 0.19, 0.21))}
    train(**changes)
    told = promotion.promote(house, actor("oversight"), PURPOSE)
    assert [g.name for g in told.gates if not g.passed] == [gate]
    assert (named(house), aliases) == (None, {})
    (move,) = moves(house)
    assert (move.how, move.who) == ("refused", "oversight")


def test_nobody_promotes_what_they_trained(house, train, actor):
    train(by="data_scientist")
    told = promotion.promote(house, actor("data_scientist"), PURPOSE)
    assert [g.why for g in told.gates if not g.passed] == ["trainer"]
    assert named(house) is None


def test_training_the_same_model_after_its_trainer_passes_it_into_no_other_hands(house, train, actor):
    train(by="data_scientist")
    train(by="engine", parameters={"seeds": 7})  # the same model with another proof
    assert promotion.candidate(house, PURPOSE).trainer == "data_scientist"


def test_where_only_one_account_exists_four_eyes_are_refused(house, train, actor):
    train(by="engine")
    who = actor("data_scientist")
    with writing(house.engine) as connection:
        for name in accounts.persons(connection) - {"data_scientist"}:
            accounts.close_account(connection, actor_of_administrator(who), name)
    told = promotion.promote(house, who, PURPOSE)
    assert [(g.name, g.why) for g in told.gates if not g.passed] == [("four_eyes", "alone")]


def actor_of_administrator(who):
    return replace(who, roles=frozenset({"administrator"}))


@pytest.mark.parametrize("role", ["analyst", "planner", "administrator", "caseworker", "protection"])
def test_a_role_that_does_not_cover_it_neither_promotes_nor_rolls_back(house, train, actor, role):
    train()
    with pytest.raises(NotAllowed):
        promotion.promote(house, actor(role), PURPOSE)
    with pytest.raises(NotAllowed):
        promotion.roll_back(house, actor(role), PURPOSE, why="x")
    assert moves(house) == []


@pytest.mark.parametrize("mode", [Mode.TRAINING, Mode.PRODUCTION])
def test_the_engine_promotes_in_a_demonstration_alone(house, train, mode):
    train(by="engine")
    engine = accounts.engine_actor(house.engine, house.settings.keys)
    elsewhere = replace(house, settings=replace(house.settings, mode=mode))
    with pytest.raises(NotAllowed):
        promotion.promote(elsewhere, engine, PURPOSE)
    told = promotion.promote(house, engine, PURPOSE)
    assert told.passed
    assert {g.name: g.why for g in told.gates}["four_eyes"] == "demonstration"
    (move,) = moves(house)
    assert move.who == "engine"


def test_nothing_invented_goes_live(house, train, actor):
    train()
    live = replace(house, settings=replace(house.settings, mode=Mode.PRODUCTION))
    told = promotion.promote(live, actor("oversight"), PURPOSE)
    assert [g.name for g in told.gates if not g.passed] == ["real"]
    train(seeds=2, learnt_from="records")
    assert promotion.promote(live, actor("oversight"), PURPOSE).passed


def test_a_candidate_is_held_against_the_champion_of_the_moment(house, train, actor):
    first = train()
    assert promotion.promote(house, actor("oversight"), PURPOSE).passed
    train(seeds=2)
    told = promotion.promote(house, actor("oversight"), PURPOSE)
    assert [g.why for g in told.gates if not g.passed] == ["stale"]
    second = train(seeds=3, **over(first))
    assert promotion.promote(house, actor("oversight"), PURPOSE).passed
    assert named(house) == second


def test_rolling_back_leads_one_promotion_back_each_time_and_at_last_to_no_model(house, train, actor, aliases):
    first = train()
    promotion.promote(house, actor("oversight"), PURPOSE)
    second = train(seeds=2, **over(first))
    promotion.promote(house, actor("oversight"), PURPOSE)
    third = train(seeds=3, **over(second))
    promotion.promote(house, actor("oversight"), PURPOSE)
    assert named(house) == third
    who = actor("data_scientist")  # the trainer may: it leads to what another person promoted
    for expected in (second, first, None):
        back = promotion.roll_back(house, who, PURPOSE, why="too many flags")
        assert (back.model if back else None) == expected
        assert named(house) == aliases[PURPOSE] == expected
    with pytest.raises(BadInput, match="nothing to roll back"):
        promotion.roll_back(house, who, PURPOSE, why="again")
    assert [(m.how, m.model) for m in moves(house)][:3] == [
        ("rolled_back", None),
        ("rolled_back", first),
        ("rolled_back", second),
    ]
    assert house.champion(PURPOSE) is None
    # One that was rolled back may be promoted again, through all of its gates.
    assert promotion.promote(house, actor("oversight"), PURPOSE, first).passed
    assert named(house) == first


def test_rolling_back_needs_a_reason_and_a_champion_that_may_still_speak(house, train, actor):
    first = train()
    promotion.promote(house, actor("oversight"), PURPOSE)
    train(seeds=2, **over(first))
    promotion.promote(house, actor("oversight"), PURPOSE)
    with pytest.raises(BadInput, match="needs a reason"):
        promotion.roll_back(house, actor("oversight"), PURPOSE, why=" ")
    live = replace(house, settings=replace(house.settings, mode=Mode.PRODUCTION))
    with pytest.raises(BadInput, match="refused at real"):
        promotion.roll_back(live, actor("oversight"), PURPOSE, why="x")
    (house.settings.models / first / "model.json").write_text("{}")
    with pytest.raises(BadInput, match="changed after it was written"):
        promotion.roll_back(house, actor("oversight"), PURPOSE, why="x")
    assert named(house) != first


def test_oversight_signs_a_gap_off_for_one_proof_alone(house, train, actor):
    train(audit=audited(0.9))
    wide = promotion.gates.wide_gaps(promotion.weigh(house, PURPOSE, actor("oversight")).proof)
    with pytest.raises(NotAllowed):
        promotion.sign_off(house, actor("data_scientist"), PURPOSE, next(iter(wide)), reason="x")
    with pytest.raises(BadInput, match="with a reason"):
        promotion.sign_off(house, actor("oversight"), PURPOSE, next(iter(wide)), reason="")
    with pytest.raises(BadInput, match="no gap 'sex'"):
        promotion.sign_off(house, actor("oversight"), PURPOSE, "sex", reason="x")
    for gap in wide:
        promotion.sign_off(house, actor("oversight"), PURPOSE, gap, reason="the flight of nurses")
    told = promotion.promote(house, actor("oversight"), PURPOSE)
    assert told.passed
    signed = {g.name: g.values for g in told.gates}["groups"]["gaps"]
    assert {gap["gap"]: gap["reason"] for gap in signed} == dict.fromkeys(wide, "the flight of nurses")
    train(seeds=2, audit=audited(0.9), **over(named(house)))
    assert not promotion.promote(house, actor("oversight"), PURPOSE).passed


def test_in_a_demonstration_alone_the_engine_signs_off_what_it_trained(house, train):
    train(by="engine", audit=audited(0.9))
    engine = accounts.engine_actor(house.engine, house.settings.keys)
    (gap, *_) = promotion.gates.wide_gaps(promotion.weigh(house, PURPOSE, engine).proof)
    promotion.sign_off(house, engine, PURPOSE, gap, reason="demonstration")
    elsewhere = replace(house, settings=replace(house.settings, mode=Mode.TRAINING))
    with pytest.raises(NotAllowed):
        promotion.sign_off(elsewhere, engine, PURPOSE, gap, reason="demonstration")


def test_the_check_compares_the_alias_with_the_journal_and_mends_it(house, train, actor, aliases):
    assert promotion.apart(house) == []
    model = train()
    promotion.promote(house, actor("oversight"), PURPOSE)
    assert promotion.apart(house) == []
    aliases[PURPOSE] = "somebody moved it"
    (said,) = promotion.apart(house)
    assert model in said
    promotion.follow(house, PURPOSE)
    assert promotion.apart(house) == []


def test_a_champion_past_its_day_is_named(house, train, actor):
    train()
    promotion.promote(house, actor("oversight"), PURPOSE)
    proof = made_proof(house.champion(PURPOSE))
    end = promotion.expires(proof)
    assert promotion.expired(house, promotion.datetime(end.year, end.month, end.day - 1)) == []
    assert len(promotion.expired(house, promotion.datetime(end.year, end.month, end.day))) == 1


def test_there_is_no_candidate_until_one_is_trained(house, actor):
    with pytest.raises(BadInput, match="basira risk train"):
        promotion.promote(house, actor("oversight"), PURPOSE)
    few, who = Findings(120, 9, 500, 60), actor("data_scientist")
    with writing(house.engine) as connection:
        for _ in range(2):
            champions.record_too_few(connection, who, PURPOSE, few)
        assert champions.too_few(connection, PURPOSE) == few
        assert len(list(journal.entries(connection, kind=champions.TOO_FEW))) == 1
