from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type

TABLE = Table(
    name="closures",
    meaning="A post or office shut or limited; its happened_at is the start, its known_at the announcement",
    key=("closure_id",),
    columns=(
        Column("closure_id", Type.STRING, "Number of the closure", required=True),
        Column("place", Type.STRING, "Post or office", required=True),
        Column("place_kind", Type.STRING, "Whether a post or an office", required=True, values=("post", "office")),
        Column("until_at", Type.INSTANT, "End, exclusive"),
        Column("kind", Type.STRING, "How far it is shut", required=True, values=("closed", "limited")),
        Column("source", Type.STRING, "Who announced it", required=True),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)
