from records.schema import HAPPENED_AT, KNOWN_AT, Column, Personal, Place, Table, Tier, Type
from records.tables.people import IDENTIFIERS, SUBJECT


def _identity(name: str, type: Type, meaning: str, values: tuple[str, ...] | None = None) -> Column:
    return Column(
        name, type, meaning, values=values, tier=Tier.PROHIBITED, personal=Personal.IDENTITY, place=Place.VAULT
    )


TABLE = Table(
    name="travellers",
    meaning="A person as one source knows them",
    key=("subject",),
    subject="subject",
    retention_days=10 * 365,
    columns=(
        *IDENTIFIERS,
        SUBJECT,
        Column(
            "key_kind",
            Type.STRING,
            "What the source knows the person by",
            required=True,
            values=("unified_number", "document"),
        ),
        Column("office", Type.STRING, "Office that holds the file, where there is one"),
        _identity("full_name", Type.STRING, "Name as written in the document"),
        _identity("birth_date", Type.DAY, "Date of birth"),
        _identity("sex", Type.STRING, "Sex as written in the document", values=("F", "M", "X")),
        _identity("nationality", Type.STRING, "Nationality, ISO 3166 alpha-3"),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
