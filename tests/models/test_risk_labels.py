from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from models.risk.labels import INSTANT, finding_labels, lapse_labels, leaky_posts

AT = datetime(2026, 1, 1, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _checks(*rows: tuple[str, str, str, str]) -> pa.Table:
    return pa.table(
        {
            "event_kind": pa.array([kind for kind, *_ in rows], pa.string()),
            "event": pa.array([event for _, event, *_ in rows], pa.string()),
            "finding": pa.array([finding for *_, finding, _ in rows], pa.string()),
            "known_at": pa.array([day(known) for *_, known in rows], INSTANT),
            "selected_by": pa.array(["random"] * len(rows), pa.string()),
            "probability": pa.array([0.1] * len(rows), pa.float64()),
        }
    )


def test_findings_are_labels_from_when_they_were_known():
    checks = _checks(
        ("crossing", "a", "confirmed", "2025-01-05"),
        ("crossing", "b", "refuted", "2025-01-06"),
        ("crossing", "c", "inconclusive", "2025-01-06"),
        ("crossing", "d", "not_checked", "2025-01-06"),
        ("permit", "e", "confirmed", "2025-01-06"),
        ("crossing", "f", "confirmed", "2026-02-01"),
    )
    labels = finding_labels(checks, "crossing", AT)
    assert dict(zip(*(labels.table[c].to_pylist() for c in ("event", "label")), strict=True)) == {"a": 1.0, "b": 0.0}
    assert labels.unknown == {"inconclusive": 1, "not_checked": 1}
    assert labels.positives == 1


def test_the_last_check_of_an_event_counts():
    checks = _checks(("crossing", "a", "confirmed", "2025-01-05"), ("crossing", "a", "refuted", "2025-03-05"))
    labels = finding_labels(checks, "crossing", AT)
    assert labels.table["label"].to_pylist() == [0.0]
    assert labels.table["known_at"].to_pylist() == [day("2025-03-05")]
    assert labels.unknown == {"superseded by a later check": 1}
    assert finding_labels(checks, "crossing", day("2025-02-01")).table["label"].to_pylist() == [1.0]


def test_no_checks_are_no_error():
    assert finding_labels(_checks(), "crossing", AT).table.num_rows == 0


def _spine(*subjects: str, valid_to: str = "2025-06-30") -> pa.Table:
    ends = date.fromisoformat(valid_to)
    return pa.table(
        {
            "event": [f"{s}|{valid_to}" for s in subjects],
            "subject": list(subjects),
            "as_of": pa.array([day(valid_to) - timedelta(days=60)] * len(subjects), INSTANT),
            "valid_to": pa.array([ends] * len(subjects), pa.date32()),
        }
    )


def _permits(*rows: tuple[str, str, str]) -> pa.Table:
    when = pa.array([day(w) for _, _, w in rows], INSTANT)
    names = ("subject", "state")
    return pa.table(
        {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(names)}
        | {"happened_at": when, "known_at": when}
    )


def _crossings(*rows: tuple[str, str, str, str]) -> pa.Table:
    when = pa.array([day(w) for *_, w in rows], INSTANT)
    names = ("subject", "direction", "post")
    return pa.table(
        {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(names)}
        | {"kind": pa.array(["actual"] * len(rows), pa.string()), "happened_at": when, "known_at": when}
    )


def _labels(spine: pa.Table, permits: pa.Table, crossings: pa.Table, at: datetime = AT) -> dict[str, float]:
    table = lapse_labels(spine, permits, crossings, at).table
    return dict(zip((e.split("|")[0] for e in table["event"].to_pylist()), table["label"].to_pylist(), strict=True))


def test_a_permit_lapses_with_neither_renewal_nor_exit():
    permits = _permits(("renews", "renewed", "2025-06-20"), ("applies late", "applied", "2025-07-20"))
    permits = pa.concat_tables(
        [permits, _permits(("too late", "applied", "2025-09-01"), ("lapses", "granted", "2024-06-30"))]
    )
    crossings = _crossings(
        ("leaves", "exit", "airport", "2025-06-28"),
        ("returns", "exit", "airport", "2025-06-01"),
        ("returns", "entry", "airport", "2025-06-10"),
        ("leaves too late", "exit", "airport", "2025-10-01"),
    )
    names = ("renews", "applies late", "too late", "lapses", "leaves", "returns", "leaves too late", "stays")
    assert _labels(_spine(*names), permits, crossings) == {
        "renews": 0.0,
        "applies late": 0.0,
        "too late": 1.0,
        "lapses": 1.0,
        "leaves": 0.0,
        "returns": 1.0,
        "leaves too late": 1.0,
        "stays": 1.0,
    }


def test_a_label_is_known_when_its_window_closes_and_open_windows_are_unknown():
    spine = _spine("a")
    labels = lapse_labels(spine, _permits(), _crossings(), AT)
    assert labels.table["known_at"].to_pylist() == [day("2025-07-31")]
    early = lapse_labels(spine, _permits(), _crossings(), day("2025-07-15"))
    assert early.table.num_rows == 0
    assert early.unknown == {"outcome window still open": 1}


def test_withdrawn_permits_are_unknown():
    labels = lapse_labels(_spine("a"), _permits(("a", "withdrawn", "2025-06-01")), _crossings(), AT)
    assert labels.unknown == {"permit withdrawn": 1}


def test_a_missing_exit_at_a_leaky_post_says_nothing():
    leak = [(f"p{n}", "entry", "land", f"2025-0{m}-01") for n in range(10) for m in (1, 2)]
    sound = [(f"q{n}", d, "airport", f"2025-0{m}-01") for n in range(10) for d, m in (("entry", 1), ("exit", 2))]
    crossings = _crossings(*leak, *sound, ("a", "entry", "land", "2025-03-01"), ("b", "entry", "airport", "2025-03-01"))
    assert leaky_posts(crossings) == {"land"}
    labels = lapse_labels(_spine("a", "b"), _permits(), crossings, AT)
    assert labels.unknown == {"exit may be unrecorded at this post": 1}
    assert labels.table["event"].to_pylist() == ["b|2025-06-30"]
