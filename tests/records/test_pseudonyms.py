"""Pseudonyms: the same person everywhere, and nobody without the key."""

import base64
import hashlib
import hmac

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from records.fingerprints import fingerprints
from records.keys import new_key
from records.pseudonyms import bucket_of, pseudonymise
from records.schema import Pseudonym
from records.tables import table

KEY = new_key()
PERSON = Pseudonym("person", (("number",), ("issuer", "document")))


def strings(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def test_a_pseudonym_is_an_hmac_with_the_id_of_its_key() -> None:
    made = pseudonymise({"number": strings("123")}, PERSON, KEY)
    digest = hmac.new(KEY.secret, b"person\x1f0\x1f123", hashlib.sha256).digest()[:16]
    assert made.to_pylist() == ["k1." + base64.urlsafe_b64encode(digest).decode().rstrip("=")]


def test_the_first_complete_alternative_is_used() -> None:
    columns = {
        "number": strings("1", None, None, None),
        "issuer": strings("ITA", "ITA", "ITA", None),
        "document": strings("X", "X", None, "X"),
    }
    made = pseudonymise(columns, PERSON, KEY).to_pylist()
    assert made[0] != made[1]
    assert made[2:] == [None, None]
    assert made[0] == pseudonymise({"number": strings("1")}, PERSON, KEY)[0].as_py()


def test_spelling_does_not_make_another_person() -> None:
    made = pseudonymise({"number": strings("ab 12", "AB12", "AB١٢", " ab۱۲\u200f")}, PERSON, KEY)
    assert len(set(made.to_pylist())) == 1


def test_parts_do_not_run_into_each_other() -> None:
    columns = {"issuer": strings("IT", "ITA"), "document": strings("AB1", "B1")}
    assert len(set(pseudonymise(columns, PERSON, KEY).to_pylist())) == 2


def test_keys_and_domains_do_not_meet() -> None:
    number = {"number": strings("1")}
    other = Pseudonym("sponsor", (("number",),))
    made = {pseudonymise(number, p, k)[0].as_py() for p, k in ((PERSON, KEY), (other, KEY), (PERSON, new_key()))}
    assert len(made) == 3


def test_links_name_the_same_person_as_crossings() -> None:
    first = table("links").column("first_subject").pseudonym
    subject = table("crossings").column("subject").pseudonym
    assert first is not None
    assert subject is not None
    crossing = {"document_issuer": strings("ITA"), "document_number": strings("X1")}
    link = {"first_document_issuer": strings("ITA"), "first_document_number": strings("X1")}
    assert pseudonymise(crossing, subject, KEY) == pseudonymise(link, first, KEY)


def test_buckets_are_stable_and_even() -> None:
    subjects = pseudonymise({"number": strings(*map(str, range(8000)))}, PERSON, KEY)
    buckets = bucket_of(subjects, 16)
    assert (buckets == bucket_of(subjects, 16)).all()
    assert all(400 < (buckets == b).sum() < 600 for b in range(16))
    assert bucket_of(strings(None, "k1.x"), 16)[0] == 0


VALUES = st.lists(st.one_of(st.none(), st.text(max_size=30)), min_size=1, max_size=20)


@given(VALUES)
def test_a_fingerprint_depends_on_values_alone(values: list[str | None]) -> None:
    whole = fingerprints({"a": strings(*values), "b": pa.array(range(len(values)))})
    padded = strings("lead", *values)[1:]  # an array that begins inside its buffers
    assert (fingerprints({"b": pa.array(range(len(values))), "a": padded}) == whole).all()
    widened = {"a": strings(*values), "b": pa.array(range(len(values))), "new": pa.nulls(len(values), pa.string())}
    assert (fingerprints(widened) == whole).all()


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), unique=True, min_size=2, max_size=40))
def test_different_rows_have_different_fingerprints(rows: list[tuple[str, str]]) -> None:
    columns = {"a": strings(*(a for a, _ in rows)), "b": strings(*(b for _, b in rows))}
    assert len(set(fingerprints(columns).tolist())) == len(rows)
