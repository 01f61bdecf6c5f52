import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from records.errors import BadInput
from records.keys import Keys, new_key
from records.tables.crossings import REGIMES
from records.vault import Vault, gates
from records.vault.cipher import Cipher
from records.vault.identity import _versions

KEYS = Keys(new_key(), new_key(), new_key())
INSTANT = pa.timestamp("us", tz="UTC")


def day(number: int, hour: int = 12) -> datetime:
    return datetime(2024, 3, 1, hour, tzinfo=UTC) + timedelta(days=number)


def people(**columns: list[object]) -> pa.Table:
    types = {"birth_date": pa.date32(), "known_at": INSTANT}
    return pa.table({name: pa.array(values, types.get(name, pa.string())) for name, values in columns.items()})


@pytest.fixture(params=["sqlite", "postgresql"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'home' / 'vault.db'}" if sqlite else request.getfixturevalue("postgres_url")
    with Vault.open(url, KEYS) as opened:
        yield opened


@pytest.fixture
def alice_and_omar(vault: Vault) -> Vault:
    vault.put_identities(
        people(
            subject=["k1.alice", "k1.omar"],
            known_at=[day(0), day(0)],
            full_name=["Alice Étienne", "عمر بن علي"],
            birth_date=[date(1990, 5, 17), date(2010, 2, 28)],
            sex=["F", None],
            nationality=["FRA", "TUN"],
        ),
        batch="b1",
    )
    return vault


def contents(vault: Vault) -> list[tuple[object, ...]]:
    with vault._engine.connect() as connection:
        return sorted(
            tuple(row)
            for table in ("identities", "documents", "rejected")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        )


def test_attributes_come_back_typed_in_the_order_asked(alice_and_omar: Vault) -> None:
    asked = pa.array(["k1.omar", "k1.nobody", None, "k1.alice", "k1.omar"])
    found = alice_and_omar.attributes(asked, ["full_name", "birth_date", "sex"])
    assert found.column_names == ["subject", "full_name", "birth_date", "sex"]
    assert found["full_name"].to_pylist() == ["عمر بن علي", None, None, "Alice Étienne", "عمر بن علي"]
    assert found["birth_date"].to_pylist() == [date(2010, 2, 28), None, None, date(1990, 5, 17), date(2010, 2, 28)]
    assert found["sex"].to_pylist() == [None, None, None, "F", None]


def test_the_same_rows_again_change_nothing(vault: Vault) -> None:
    rows = people(subject=["k1.a", "k1.b"], known_at=[day(0), day(1)], nationality=["FRA", "DZA"])
    documents = people(document=["k1.d", "k1.d", None], document_issuer=["FRA", "FRA", "ITA"], known_at=[day(0)] * 3)
    for _ in range(2):
        vault.put_identities(rows, batch="b1")
        vault.put_documents(documents, batch="b1")
        vault.put_rejected("b1", [3, 9], [b"x;y", b"z"], at=day(0))
        first = contents(vault)
    assert first == contents(vault)
    assert len(first) == 5


def test_versions_are_kept_by_when_they_were_known(vault: Vault) -> None:
    vault.put_identities(people(subject=["k1.a"], known_at=[day(5)], nationality=["DZA"]))
    vault.put_identities(people(subject=["k1.a"], known_at=[day(2)], nationality=["FRA"]))
    asked = pa.array(["k1.a"])
    assert vault.attributes(asked, ["nationality"])["nationality"].to_pylist() == ["DZA"]
    for at, nationality in ((day(2), "FRA"), (day(4), "FRA"), (day(5), "DZA"), (day(1), "FRA")):
        assert vault.attributes(asked, ["nationality"], at=at)["nationality"].to_pylist() == [nationality]
    vault.put_identities(people(subject=["k1.a"], known_at=[day(5)], nationality=["MAR"]))
    assert vault.attributes(asked, ["nationality"])["nationality"].to_pylist() == ["MAR"], "corrected in place"


def test_an_attribute_the_tables_do_not_declare_is_refused(vault: Vault) -> None:
    rows = people(subject=["k1.a"], known_at=[day(0)], shoe_size=["42"])
    with pytest.raises(BadInput, match=r"no attribute shoe_size.*birth_date"):
        vault.put_identities(rows)
    with pytest.raises(BadInput, match="no attribute shoe_size"):
        vault.attributes(pa.array(["k1.a"]), ["shoe_size"])
    with pytest.raises(BadInput, match="A moment is missing"):
        vault.put_identities(people(subject=["k1.a"], known_at=[None], sex=["F"]))


def test_nothing_readable_is_on_the_disk(tmp_path: Path) -> None:
    place = tmp_path / "vault.db"
    with Vault.open(f"sqlite:///{place}", KEYS) as vault:
        vault.put_identities(people(subject=["k1.a"], known_at=[day(0)], full_name=["Zaphod Beeblebrox"]))
        vault.put_rejected("b", [1], [b"Zaphod Beeblebrox;42"])
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert all(b"Zaphod" not in f.read_bytes() for f in tmp_path.iterdir())


def test_a_ciphertext_cannot_stand_in_for_another(tmp_path: Path) -> None:
    place = tmp_path / "vault.db"
    url = f"sqlite:///{place}"
    rows = people(subject=["k1.a", "k1.b"], known_at=[day(0)] * 2, full_name=["A", "B"], sex=["F", "M"])
    with Vault.open(url, KEYS) as vault:
        vault.put_identities(rows)
    raw = sqlite3.connect(place)
    raw.execute(
        "UPDATE identities SET value = (SELECT value FROM identities WHERE subject = 'k1.b' AND name = 'sex') "
        "WHERE subject = 'k1.a' AND name = 'sex'"
    )
    raw.commit()
    raw.close()
    with Vault.open(url, KEYS) as vault:
        assert vault.attributes(pa.array(["k1.a"]), ["full_name"])["full_name"].to_pylist() == ["A"]
        with pytest.raises(BadInput, match="cannot be opened"):
            vault.attributes(pa.array(["k1.a"]), ["sex"])


def test_another_key_is_refused_at_the_door(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'vault.db'}"
    Vault.open(url, KEYS).close()
    for other in (Keys(KEYS.pseudonym, new_key(), KEYS.rejected), Keys(KEYS.pseudonym, KEYS.vault, new_key())):
        with pytest.raises(BadInput, match="another key"):
            Vault.open(url, other)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense"])
def test_an_address_that_is_no_vault_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match=r"SQLite or PostgreSQL|not a database address"):
        Vault.open(url, KEYS)


@given(st.binary(max_size=60), st.text(max_size=5), st.text(max_size=5))
def test_cipher_opens_only_where_it_was_sealed(content: bytes, one: str, two: str) -> None:
    cipher = Cipher(KEYS.vault, "test")
    sealed = cipher.seal((one, two), content)
    assert cipher.open((one, two), sealed) == content
    assert sealed == cipher.seal((one, two), content)
    for place in ((one + two,), (one, two, ""), (one + "x", two)):
        with pytest.raises(BadInput):
            cipher.open(place, sealed)
    with pytest.raises(BadInput):
        Cipher(KEYS.vault, "other").open((one, two), sealed)


@given(
    versions=st.sets(st.tuples(st.integers(0, 4), st.integers(-50, 50)), max_size=20),
    asked=st.lists(st.tuples(st.integers(-1, 6), st.integers(-60, 60)), max_size=20),
    dated=st.booleans(),
)
def test_choosing_versions_agrees_with_a_slow_look(
    versions: set[tuple[int, int]], asked: list[tuple[int, int]], dated: bool
) -> None:
    ordered = sorted(versions)

    def slow(code: int, at: int) -> int:
        mine = [i for i, (c, _) in enumerate(ordered) if c == code]
        known = [i for i in mine if not dated or ordered[i][1] <= at]
        return known[-1] if known else (mine[0] if mine else -1)

    codes, times = (np.array([pair[i] for pair in asked], dtype=np.int64) for i in (0, 1))
    version_codes, version_times = (np.array([pair[i] for pair in ordered], dtype=np.int64) for i in (0, 1))
    found = _versions(version_codes, version_times, codes, times if dated else None)
    assert found.tolist() == [slow(code, at) for code, at in asked]


def ask(vault: Vault, rows: list[tuple[str | None, str | None, str, str | None, datetime]]) -> gates.Gates:
    columns = [pa.array([r[i] for r in rows], pa.string()) for i in range(4)]
    return vault.gates(*columns, pa.array([r[4] for r in rows], INSTANT))


def test_regime_is_that_of_the_first_declaration_that_holds(alice_and_omar: Vault) -> None:
    alice_and_omar.put_identities(
        people(subject=["k1.ravi", "k1.reza"], known_at=[day(0)] * 2, nationality=["IND", "IRN"])
    )
    alice_and_omar.put_documents(
        people(document=["k1.fra", "k1.tun"], document_issuer=["FRA", "TUN"], known_at=[day(0)] * 2)
    )
    later = datetime(2024, 6, 15, tzinfo=UTC)
    cases = [
        (("k1.omar", None, "passport", None, day(1)), "national"),
        (("k1.omar", None, "diplomatic", None, day(1)), "national"),
        (("k1.alice", None, "passport", None, day(1)), "visa_exempt"),
        (("k1.alice", None, "passport", "F-1", day(1)), "resident"),
        (("k1.alice", None, "diplomatic", None, day(1)), "diplomat"),
        (("k1.alice", None, "crew", None, day(1)), "crew"),
        (("k1.ravi", None, "passport", None, day(1)), "visa"),
        (("k1.reza", None, "passport", None, later - timedelta(hours=2)), "visa"),
        (("k1.reza", None, "passport", None, later), "visa_exempt"),
        (("k1.nobody", None, "passport", None, day(1)), None),
        (("k1.nobody", "k1.fra", "passport", None, day(1)), "visa_exempt"),
        (("k1.nobody", "k1.tun", "identity_card", None, day(1)), "national"),
        (("k1.nobody", "k1.fra", "laissez_passer", None, day(1)), None),
        (("k1.alice", "k1.tun", "passport", None, day(1)), "visa_exempt"),
        ((None, None, "passport", None, day(1)), None),
    ]
    assert ask(alice_and_omar, [row for row, _ in cases]).regime.to_pylist() == [regime for _, regime in cases]


def test_under_18_turns_on_the_local_birthday(alice_and_omar: Vault) -> None:
    alice_and_omar.put_identities(
        people(subject=["k1.leap"], known_at=[day(0)], birth_date=[date(2008, 2, 29)], nationality=["FRA"])
    )

    def at(subject: str, moment: datetime) -> object:
        return ask(alice_and_omar, [(subject, None, "passport", None, moment)]).under_18.to_pylist()[0]

    midnight = datetime(2028, 2, 27, 23, tzinfo=UTC)  # 00:00 on 28 February in Tunis
    assert at("k1.omar", midnight - timedelta(seconds=1)) is True
    assert at("k1.omar", midnight) is False
    assert at("k1.leap", datetime(2026, 2, 28, 12, tzinfo=UTC)) is True
    assert at("k1.leap", datetime(2026, 3, 1, 12, tzinfo=UTC)) is False
    assert at("k1.alice", day(0)) is False
    assert at("k1.nobody", day(0)) is None


def test_gates_of_no_rows_are_no_rows(vault: Vault) -> None:
    found = ask(vault, [])
    assert (found.regime.type, len(found.regime)) == (pa.string(), 0)
    assert (found.under_18.type, len(found.under_18)) == (pa.bool_(), 0)


def test_every_declaration_cites_its_article_and_every_regime_can_be_had() -> None:
    assert {d.regime for d in gates.declarations()} == set(REGIMES)
    assert all(d.article and d.since and (d.until is None or d.since < d.until) for d in gates.declarations())
    assert {d.regime for d in gates.declarations() if d.basis == "example"} == {"visa_exempt"}
    with pytest.raises(ValueError, match="does not exist"):
        gates.Declaration("tourist", "art. 1", "law", date(2020, 1, 1))


def test_rejected_rows_are_kept_ninety_days(vault: Vault) -> None:
    vault.put_rejected("b1", [7, 2], [b"seven", b"\xff\x00two"], at=day(0))
    vault.put_rejected("b2", [1], [b"one"], at=day(10))
    kept = vault.rejected("b1", at=day(89))
    assert kept["row"].to_pylist() == [2, 7]
    assert kept["raw"].to_pylist() == [b"\xff\x00two", b"seven"]
    assert vault.rejected_batches(at=day(89)).select(["batch", "rows"]).to_pylist() == [
        {"batch": "b1", "rows": 2},
        {"batch": "b2", "rows": 1},
    ]
    assert vault.rejected("b1", at=day(90)).num_rows == 0
    assert vault.rejected_batches(at=day(90))["batch"].to_pylist() == ["b2"]
    assert vault.delete_rejected("b1", [7, 8]) == 1
    assert vault.rejected("b1", at=day(1))["row"].to_pylist() == [2]
    assert vault.delete_rejected("b1") == 1


def test_retire_deletes_what_is_too_old_unless_held(vault: Vault) -> None:
    vault.put_identities(
        people(
            subject=["k1.old", "k1.held", "k1.new"],
            known_at=[day(0), day(0), day(9)],
            nationality=["FRA", "DZA", "ITA"],
        )
    )
    for known in (day(0), day(9), day(3)):
        vault.put_documents(people(document=["k1.d1"], document_issuer=["FRA"], known_at=[known]))
    vault.put_documents(people(document=["k1.d2"], document_issuer=["FRA"], known_at=[day(0)]))
    vault.put_rejected("b1", [1], [b"one"], at=day(-90))
    retired = vault.retire(day(5), keep={"k1.held"}, now=day(5))
    assert (retired.identities, retired.documents, retired.rejected) == (1, 1, 1)
    left = vault.attributes(pa.array(["k1.old", "k1.held", "k1.new"]), ["nationality"])
    assert left["nationality"].to_pylist() == [None, "DZA", "ITA"]


def test_opening_and_writing_at_once_loses_nothing(vault: Vault, tmp_path: Path) -> None:
    url = vault._engine.url.render_as_string(hide_password=False)
    errors: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            with Vault.open(url, KEYS) as mine:
                names = [f"k1.{writer}.{i}" for i in range(50)]
                mine.put_identities(people(subject=names, known_at=[day(0)] * 50, sex=["X"] * 50))
        except Exception as error:  # noqa: BLE001  # whatever it is, the test must see it
            errors.append(error)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(contents(vault)) == 300


def test_more_subjects_than_a_statement_has_parameters(vault: Vault) -> None:
    count = 70_000
    subjects = [f"k1.{i}" for i in range(count)]
    vault.put_identities(people(subject=subjects[:30], known_at=[day(0)] * 30, full_name=subjects[:30]))
    vault.put_rejected("b", range(30), [b"x"] * 30)
    backwards = pa.array(subjects[::-1])
    assert vault.attributes(backwards, ["full_name"])["full_name"].to_pylist()[-30:] == subjects[29::-1]
    assert vault.delete_rejected("b", range(29)) == 29
    assert vault.delete_rejected("b", range(count)) == 1


def test_an_account_that_only_reads_cannot_change_anything(tmp_path):
    url, rows = f"sqlite:///{tmp_path / 'vault.db'}", people(subject=["a"], known_at=[day(0)], sex=["F"])
    with pytest.raises(BadInput, match="nothing to read"):
        Vault.open(url, KEYS, read_only=True)
    with Vault.open(url, KEYS) as vault:
        vault.put_identities(rows)
    with Vault.open(url, KEYS, read_only=True) as vault:
        assert vault.attributes(pa.array(["a"]), ["sex"])["sex"].to_pylist() == ["F"]
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            vault.put_identities(people(subject=["a"], known_at=[day(1)], sex=["M"]))
