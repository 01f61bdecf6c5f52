from records.schema import HAPPENED_AT, KNOWN_AT, Column, Personal, Pseudonym, Table, Type
from records.tables.people import DOCUMENT, IDENTIFIERS, PERSON

TABLE = Table(
    name="alerts",
    meaning="A fact an authority entered about a person or a document; matched exactly, verified by a person",
    key=("alert_id",),
    retention_days=5 * 365,
    columns=(
        *IDENTIFIERS,
        Column("alert_id", Type.STRING, "The authority's number of the alert", required=True),
        Column(
            "subject",
            Type.STRING,
            "Keyed pseudonym of the person meant, if a person is",
            personal=Personal.PSEUDONYM,
            pseudonym=Pseudonym("person", PERSON.alternatives),
        ),
        DOCUMENT,
        Column(
            "kind",
            Type.STRING,
            "Kind of fact",
            required=True,
            values=("document_lost", "document_stolen", "court_order", "entry_ban"),
        ),
        Column("authority", Type.STRING, "Authority that entered it", required=True),
        Column("article", Type.STRING, "Article it rests on", required=True),
        Column("valid_from", Type.DAY, "First day it holds", required=True),
        Column("valid_to", Type.DAY, "Last day it holds", required=True),
        Column("review_on", Type.DAY, "Day by which it is reviewed"),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
