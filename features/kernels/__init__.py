"""The sliding-window kernels, compiled once and kept on disk.

A row is an interval: a query at t sees the rows that entered at or before t and leave after it. Rows and queries come
grouped by entity: entity e has the rows `row_start[e]` to `row_start[e + 1]`, in the order they happened (then were
known), and likewise the queries, in the order of their instants. So every aggregate is one sweep in which rows enter
and leave in order of time, and a query reads off what is there: O(1) a step.

How far a sweep has come is the same for every aggregate of one window, so it is worked out once: of a `Sight`,
`entered[q]` and `left[q]` say up to which place of the order of entering, and of leaving, query q has gone. Nearly all
rows are known when they happen and are never corrected; then both orders are the order of the rows, and their arrays
are empty.

A row that is never seen enters and leaves at one instant. Times are int64 microseconds, values are cells
(`features.cells`).

`numbering` and `grouping` work out who belongs together, `sights` what is seen when, `conditions` which rows take part,
`aggregates` and `presence` what comes of it. `answers` is their door: all that is asked of a stream, in one call.
"""
