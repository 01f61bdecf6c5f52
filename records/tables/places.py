"""Reference tables of places: border posts and foreigners' offices. A later row of a place replaces the earlier."""

from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type


def _named(kind: str) -> tuple[Column, ...]:
    return (
        Column("name_ar", Type.STRING, f"Name of the {kind} in Arabic", required=True),
        Column("name_fr", Type.STRING, f"Name of the {kind} in French", required=True),
        Column("name_en", Type.STRING, f"Name of the {kind} in English", required=True),
        Column("governorate", Type.STRING, "Governorate it lies in", required=True),
    )


POSTS = Table(
    name="posts",
    meaning="A border post, dated",
    key=("post",),
    columns=(
        Column("post", Type.STRING, "Short name of the post", required=True),
        *_named("post"),
        Column("mode", Type.STRING, "Means of travel it serves", required=True, values=("air", "sea", "land")),
        Column("opens_hour", Type.INTEGER, "Hour it opens, local time", unit="hour", minimum=0, maximum=24),
        Column("closes_hour", Type.INTEGER, "Hour it closes, local time", unit="hour", minimum=0, maximum=24),
        Column("booths", Type.INTEGER, "Booths", unit="booths", minimum=0, maximum=500),
        Column("staff", Type.INTEGER, "Officers assigned", unit="officers", minimum=0, maximum=5000),
        Column(
            "checks_per_shift",
            Type.INTEGER,
            "Second-line checks a shift can carry out",
            unit="checks",
            minimum=0,
            maximum=5000,
        ),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)

OFFICES = Table(
    name="offices",
    meaning="A foreigners' office, dated",
    key=("office",),
    columns=(
        Column("office", Type.STRING, "Short name of the office", required=True),
        *_named("office"),
        Column("desks", Type.INTEGER, "Desks", unit="desks", minimum=0, maximum=500),
        Column("staff", Type.INTEGER, "Officers assigned", unit="officers", minimum=0, maximum=5000),
        Column("promised_days", Type.INTEGER, "Promised time to decision", unit="days", minimum=0, maximum=3650),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
