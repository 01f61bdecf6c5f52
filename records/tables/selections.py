from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type
from records.tables.people import IDENTIFIERS, SUBJECT

TABLE = Table(
    name="selections",
    meaning="One assessed subject, and whether it was selected",
    key=("selection_id",),
    subject="subject",
    retention_days=5 * 365,
    engine_made=True,
    columns=(
        *IDENTIFIERS,
        Column("selection_id", Type.STRING, "Number of the assessment", required=True),
        SUBJECT,
        Column("event_kind", Type.STRING, "What was assessed", required=True, values=("crossing", "permit")),
        Column("event", Type.STRING, "The crossing or permit file that was assessed", required=True),
        Column("as_of", Type.INSTANT, "Moment whose knowledge the assessment used", required=True),
        Column("model", Type.STRING, "Content hash of the model"),
        Column("rulebook", Type.STRING, "Content hash of the rulebook"),
        Column("score", Type.NUMBER, "Calibrated probability; null where no model is champion", minimum=0, maximum=1),
        Column("lane", Type.STRING, "Lane the subject was put in"),
        Column("why", Type.STRING, "How it was selected", values=("random", "exploration", "rule", "model", "officer")),
        Column(
            "probability", Type.NUMBER, "Probability of selection; null where an officer chose", minimum=0, maximum=1
        ),
        Column("outcome", Type.STRING, "What became of it", values=("selected", "dropped", "skipped")),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
