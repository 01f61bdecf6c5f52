from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type

TABLE = Table(
    name="calendar",
    meaning="One day; its happened_at is its first moment in local time",
    key=("day",),
    columns=(
        Column("day", Type.DAY, "The day", required=True),
        Column(
            "public_holiday",
            Type.STRING,
            "The public holiday, where it is one: as `records/calendar.py` calls it (eid_al_fitr), else its own name",
        ),
        Column("hijri_month", Type.INTEGER, "Month of the Hijri year (Umm al-Qura)", minimum=1, maximum=12),
        Column("hijri_day", Type.INTEGER, "Day of the Hijri month (Umm al-Qura)", minimum=1, maximum=30),
        Column("ramadan", Type.BOOLEAN, "Whether it lies in Ramadan"),
        Column("eid", Type.STRING, "Which Eid it belongs to", values=("fitr", "adha")),
        Column("school_holiday", Type.BOOLEAN, "Whether schools are closed"),
        Column("ferry_season", Type.BOOLEAN, "Whether the summer ferries run"),
        Column(
            "status",
            Type.STRING,
            "How certain the moving feasts are",
            required=True,
            values=("announced", "computed", "uncertain"),
        ),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
