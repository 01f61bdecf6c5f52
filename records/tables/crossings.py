from records.schema import HAPPENED_AT, KNOWN_AT, Column, Gate, Personal, Place, Pseudonym, Table, Tier, Type
from records.tables.people import DOCUMENT, IDENTIFIERS, SUBJECT

REGIMES = ("national", "visa_exempt", "visa", "resident", "diplomat", "crew")

TABLE = Table(
    name="crossings",
    meaning="One entry or exit, or an advance passenger record of one",
    key=("crossing_id",),
    subject="subject",
    retention_days=5 * 365,
    columns=(
        *IDENTIFIERS,
        Column(
            "booking_reference",
            Type.STRING,
            "Booking or group the traveller belongs to",
            personal=Personal.IDENTITY,
            place=Place.DOOR,
        ),
        Column("crossing_id", Type.STRING, "The source's number of the record", required=True),
        SUBJECT,
        Column(
            "kind", Type.STRING, "Whether it took place or was announced", required=True, values=("actual", "advance")
        ),
        Column("linked_crossing", Type.STRING, "The advance record of an actual crossing, or the reverse"),
        Column("post", Type.STRING, "Border post", required=True),
        Column("direction", Type.STRING, "Into or out of the country", required=True, values=("entry", "exit")),
        Column("mode", Type.STRING, "Means of travel", required=True, values=("air", "sea", "land")),
        Column("service", Type.STRING, "Flight, ferry, train or coach, where there is one"),
        DOCUMENT,
        Column(
            "document_type",
            Type.STRING,
            "Type of travel document",
            required=True,
            values=("passport", "identity_card", "laissez_passer", "diplomatic", "crew"),
        ),
        Column("document_issued_on", Type.DAY, "Date of issue of the document"),
        Column("document_expires_on", Type.DAY, "Date of expiry of the document"),
        Column(
            "party",
            Type.STRING,
            "Keyed pseudonym of the booking or group",
            personal=Personal.PSEUDONYM,
            pseudonym=Pseudonym("party", (("booking_reference",),)),
        ),
        Column("party_size", Type.INTEGER, "Persons in the booking or group", unit="persons", minimum=1, maximum=500),
        Column("declared_guardian", Type.BOOLEAN, "Whether a guardian was declared for a child"),
        Column(
            "regime",
            Type.STRING,
            "Which part of the law on foreigners applies",
            values=REGIMES,
            tier=Tier.RESTRICTED,
            gate=Gate("regime", "Law 1968-7 on the condition of foreigners, arts. 1-6"),
        ),
        Column(
            "under_18",
            Type.BOOLEAN,
            "Whether the person is a child at the moment of the record",
            tier=Tier.RESTRICTED,
            gate=Gate("under_18", "Child Protection Code (law 1995-92), art. 3"),
        ),
        Column("permit_file", Type.STRING, "Residence-permit file shown at the booth"),
        Column(
            "visa_reference",
            Type.STRING,
            "Visa shown at the booth, as the visa system numbers it",
            personal=Personal.PSEUDONYM,
        ),
        Column(
            "declared_stay_days", Type.INTEGER, "Length of stay declared on entry", unit="days", minimum=0, maximum=3650
        ),
        Column("address_governorate", Type.STRING, "Governorate of the declared address", personal=Personal.BEHAVIOUR),
        Column("booth_wait_minutes", Type.NUMBER, "Wait before the booth", unit="minutes", minimum=0, maximum=1440),
        Column("shift", Type.STRING, "Shift at the post: day and part of day, such as 20260831-E"),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
