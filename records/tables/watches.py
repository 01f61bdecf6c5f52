from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type


def _share(name: str, meaning: str, unit: str | None = None) -> Column:
    return Column(name, Type.NUMBER, meaning, unit=unit, minimum=0, maximum=1)


TABLE = Table(
    name="watches",
    meaning="One look at whether a model still holds: what the random control found by a day, or how one input looks",
    key=("model", "day", "what", "about"),
    retention_days=5 * 365,
    engine_made=True,
    columns=(
        Column("name", Type.STRING, "Declared name of the model", required=True),
        Column("model", Type.STRING, "Content hash of the model", required=True),
        Column("day", Type.DAY, "Last local day whose records were looked at", required=True),
        Column(
            "what",
            Type.STRING,
            "What was looked at",
            required=True,
            values=("prevalence", "calibration", "input", "score"),
        ),
        Column("about", Type.STRING, "Name of the input; 'control' or 'score' otherwise", required=True),
        Column(
            "state",
            Type.STRING,
            "What the look says",
            required=True,
            values=("quiet", "alarm", "too_few", "as_learnt", "shifted"),
        ),
        Column("since", Type.DAY, "Day on which the alarm was raised"),
        Column("rows", Type.INTEGER, "Findings of the control so far, or rows compared", minimum=0),
        Column("needed", Type.INTEGER, "Findings with which doubled odds would be noticed", minimum=0),
        Column("confirmed", Type.INTEGER, "Findings of the control that were confirmed", minimum=0),
        Column("expected", Type.NUMBER, "How many the model promised, or the reference leads to expect", minimum=0),
        _share("low", "Least share of confirmed findings that the claim allows"),
        _share("high", "Greatest share of confirmed findings that the claim allows"),
        Column("awaited", Type.INTEGER, "Drawn cases whose finding is not counted yet", minimum=0),
        Column(
            "without_finding", Type.INTEGER, "Drawn cases whose check found nothing out, or was not done", minimum=0
        ),
        Column("evidence", Type.NUMBER, "Evidence against the claim: what a bet of 1 against it has become", minimum=0),
        Column("psi", Type.NUMBER, "Population stability index against the training rows", minimum=0),
        Column("psi_limit", Type.NUMBER, "What that index reaches by chance with as many rows", minimum=0),
        _share("js", "Jensen-Shannon divergence from the training rows", unit="bits"),
        Column("js_limit", Type.NUMBER, "What that divergence reaches by chance with as many rows", minimum=0),
        _share("missing", "Share of rows without a value"),
        _share("missing_before", "The same in the training rows"),
        _share("unseen", "Share of rows with a word that has no name in the training rows"),
        _share("unseen_before", "The same in the training rows, where such words are rare"),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
