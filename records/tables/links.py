from records.schema import HAPPENED_AT, KNOWN_AT, Column, Personal, Place, Pseudonym, Table, Tier, Type


def _side(side: str) -> tuple[Column, ...]:
    return (
        Column(
            f"{side}_unified_number",
            Type.STRING,
            f"Unified number of the {side} person",
            personal=Personal.IDENTITY,
            place=Place.DOOR,
        ),
        Column(
            f"{side}_document_number",
            Type.STRING,
            f"Document number of the {side} person",
            personal=Personal.IDENTITY,
            place=Place.DOOR,
        ),
        Column(
            f"{side}_document_issuer",
            Type.STRING,
            f"Document issuer of the {side} person",
            tier=Tier.PROHIBITED,
            personal=Personal.IDENTITY,
            place=Place.DOOR,
        ),
        Column(
            f"{side}_subject",
            Type.STRING,
            f"Keyed pseudonym of the {side} person",
            required=True,
            personal=Personal.PSEUDONYM,
            pseudonym=Pseudonym(
                "person", ((f"{side}_unified_number",), (f"{side}_document_issuer", f"{side}_document_number"))
            ),
        ),
    )


TABLE = Table(
    name="links",
    meaning="A statement that two subjects are or are not one person",
    key=("link_id",),
    retention_days=10 * 365,
    columns=(
        *_side("first"),
        *_side("second"),
        Column("link_id", Type.STRING, "Number of the statement", required=True),
        Column(
            "state",
            Type.STRING,
            "Yellow unverified, white same, green different, red unjustified",
            required=True,
            values=("yellow", "white", "green", "red"),
        ),
        Column("said_by", Type.STRING, "Who or what says so", required=True),
        Column("evidence", Type.STRING, "What it rests on", required=True),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
