from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type
from records.tables.people import IDENTIFIERS, SPONSOR, SPONSOR_NUMBER, SUBJECT

TABLE = Table(
    name="permits",
    meaning="One state change of a residence-permit file",
    key=("file", "state", "happened_at"),
    subject="subject",
    retention_days=10 * 365,
    columns=(
        *IDENTIFIERS,
        SPONSOR_NUMBER,
        SUBJECT,
        Column("file", Type.STRING, "Number of the permit file", required=True),
        Column(
            "state",
            Type.STRING,
            "What the file became",
            required=True,
            values=("applied", "granted", "renewed", "refused", "expired", "withdrawn"),
        ),
        Column("office", Type.STRING, "Foreigners' office that holds the file", required=True),
        Column(
            "category",
            Type.STRING,
            "Category of the permit",
            required=True,
            values=("work", "study", "family", "retirement", "investment", "other"),
        ),
        Column("valid_from", Type.DAY, "First day of validity"),
        Column("valid_to", Type.DAY, "Last day of validity"),
        SPONSOR,
        Column("documents_complete", Type.BOOLEAN, "Whether the file was complete when it was handed in"),
        Column("processing_days", Type.NUMBER, "From application to decision", unit="days", minimum=0, maximum=3650),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
