from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type
from records.tables.people import IDENTIFIERS, OFFICER, OFFICER_NUMBER, SUBJECT

FINDING_KINDS = ("document_irregular", "stay_irregular", "declaration_false", "permit_irregular")

TABLE = Table(
    name="checks",
    meaning="One second-line check or file review",
    key=("check_id",),
    subject="subject",
    retention_days=5 * 365,
    columns=(
        *IDENTIFIERS,
        OFFICER_NUMBER,
        Column("check_id", Type.STRING, "The source's number of the check", required=True),
        SUBJECT,
        Column("event_kind", Type.STRING, "What was checked", required=True, values=("crossing", "permit")),
        Column("event", Type.STRING, "The crossing or permit file that was checked", required=True),
        Column("post", Type.STRING, "Border post or office of the check"),
        Column(
            "selected_by",
            Type.STRING,
            "How the subject came to be checked",
            required=True,
            values=("random", "exploration", "rule", "model", "officer"),
        ),
        Column(
            "probability",
            Type.NUMBER,
            "Probability with which it was selected; null where an officer chose",
            minimum=0,
            maximum=1,
        ),
        Column(
            "finding",
            Type.STRING,
            "What the check found",
            required=True,
            values=("confirmed", "refuted", "inconclusive", "not_checked"),
        ),
        Column("finding_kind", Type.STRING, "Kind of a confirmed irregularity", values=FINDING_KINDS),
        Column("not_checked_reason", Type.STRING, "Why a selected check was not carried out"),
        Column("blind", Type.BOOLEAN, "Whether the officer saw no score before the finding"),
        Column("minutes", Type.NUMBER, "Duration of the check", unit="minutes", minimum=0, maximum=1440),
        OFFICER,
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
