"""What we compute about a subject as of a moment, from what was known then.

A feature is one declaration in one file of `features/crossings` or `features/permits`; `catalogue` finds it, `lineage`
says what it reads, `engine` computes it for a spine of (subject, as_of) rows made by `spine`.
"""
