"""Columns of Arrow as kernels see them: whatever slice they are of, and never memory that was lent to be read alone."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.cells import cells
from features.columns import NEVER, NULL, instants

WHOLE = st.lists(st.none() | st.integers(-(2**60), 2**60), max_size=12)


@given(values=WHOLE, begin=st.integers(0, 4), chunks=st.integers(0, 2))
def test_a_slice_reads_as_its_values_with_a_mark_for_null(values: list[int | None], begin: int, chunks: int) -> None:
    part = pa.array(values, pa.int64()).slice(begin)
    column, told = (
        (part, values[begin:]) if chunks == 0 else (pa.chunked_array([part] * chunks), values[begin:] * chunks)
    )
    assert cells(column).tolist() == [NULL if value is None else value for value in told]
    moments = column.cast(pa.timestamp("us", tz="UTC"))
    assert cells(moments).tolist() == cells(column).tolist()
    assert instants(moments).tolist() == [NEVER if value is None else value for value in told]


def test_memory_that_may_not_be_written_is_copied() -> None:
    lent = pa.Array.from_buffers(pa.int64(), 3, [None, pa.py_buffer(np.arange(3).tobytes())])
    for held in (cells(lent), instants(lent)):
        held[0] = 7
        assert lent.to_pylist() == [0, 1, 2]
