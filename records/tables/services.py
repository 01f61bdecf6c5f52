from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type

TABLE = Table(
    name="services",
    meaning="A scheduled flight, ferry, train or coach; its happened_at is the scheduled time",
    key=("service",),
    columns=(
        Column("service", Type.STRING, "Number of the service on its day", required=True),
        Column("post", Type.STRING, "Border post", required=True),
        Column("direction", Type.STRING, "Into or out of the country", required=True, values=("entry", "exit")),
        Column("mode", Type.STRING, "Means of travel", required=True, values=("air", "sea", "land")),
        Column("estimated_at", Type.INSTANT, "Estimated time"),
        Column("actual_at", Type.INSTANT, "Actual time"),
        Column("seats", Type.INTEGER, "Seats offered", unit="seats", minimum=0, maximum=5000),
        Column(
            "origin",
            Type.STRING,
            "Where it comes from or goes to: IATA code of an airport, UN/LOCODE of a port, else a place",
        ),
        Column("cancelled", Type.BOOLEAN, "Whether it was cancelled"),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
