"""How the foreigners' offices hand in `permits`: some as Parquet, one group in Windows-1256 with Arabic words, one in
UTF-8 with Arabic-Indic digits (which Windows-1256 does not have)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records.posts import offices
from records.sample.crossings import Block, document_numbers, permit_files, unified_numbers
from records.sample.horizon import DAY
from records.sample.permits import APPLIED, CATEGORIES, GRANTED, NEVER, RENEWED, STATES
from records.sample.population import NATIONALITIES
from records.sample.setting import Setting
from records.sample.strings import chosen, days, digits, instants, numbers, scattered, strings

Ints = npt.NDArray[np.int64]

# Which delivery an office belongs to.
PARQUET, WINDOWS, INDIC = range(3)
_SOUTH = ("medenine", "tataouine", "gabes", "kebili", "tozeur", "gafsa")
_SAHEL = ("mahdia", "kairouan", "sidi-bouzid", "kasserine")
DELIVERY = np.array(
    [WINDOWS if o.governorate in _SOUTH else INDIC if o.governorate in _SAHEL else PARQUET for o in offices()]
)
WINDOWS_LAG = "P1D"

_STATE_WORDS = dict(zip(STATES, ("مودع", "ممنوح", "مجدد", "مرفوض", "منتهي", "مسحوب"), strict=True))
_CATEGORY_WORDS = dict(zip(CATEGORIES, ("عمل", "دراسة", "عائلة", "تقاعد", "استثمار", "أخرى"), strict=True))
_COLUMNS = {
    "unified_number": "المعرف الوحيد",
    "document_number": "رقم الوثيقة",
    "document_issuer": "جهة الإصدار",
    "sponsor_number": "رقم الكفيل",
    "file": "رقم الملف",
    "state": "الحالة",
    "office": "المكتب",
    "category": "الصنف",
    "valid_from": "صالح من",
    "valid_to": "صالح إلى",
    "documents_complete": "ملف كامل",
    "processing_days": "أيام المعالجة",
    "happened_at": "التاريخ",
}
HEADER = ";".join(_COLUMNS.values()) + "\n"
WINDOWS_MAPPING: Mapping[str, object] = {
    "table": "permits",
    "columns": _COLUMNS,
    "values": {
        "state": {theirs: ours for ours, theirs in _STATE_WORDS.items()},
        "category": {theirs: ours for ours, theirs in _CATEGORY_WORDS.items()},
    },
    "known_at": {"lag": WINDOWS_LAG},
    "zone": "Africa/Tunis",
    "encoding": "windows-1256",
    "delimiter": ";",
}
INDIC_MAPPING: Mapping[str, object] = {**WINDOWS_MAPPING, "encoding": "utf-8"}
_TO_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def permit_rows(block: Block, setting: Setting, rng: np.random.Generator) -> tuple[pa.Table, Ints]:
    """Rows of `permits` of a block of residents, and the delivery each belongs to."""
    file, group, span = block.file, block.group, setting.span
    if file is None:
        raise ValueError("Only residents have permit files.")
    stage = file.stages
    who = stage.person
    n = len(who)
    happened = span.moment(stage.day, rng.integers(8 * 3600, 16 * 3600, n) // 60 * 60)
    delivery = DELIVERY[file.office[who]]
    lag = np.where(delivery == PARQUET, rng.integers(3_600, 2 * DAY, n), DAY)
    given = (stage.state == GRANTED) | (stage.state == RENEWED)
    # The number is given with the first permit, so the first application is known by passport.
    first_application = (stage.state == APPLIED) & (stage.day < file.granted[0][who])
    version = group.document(who, stage.day)[0]
    rows = pa.table(
        {
            "unified_number": unified_numbers(group, who, ~first_application),
            "document_number": document_numbers(group, who, version),
            "document_issuer": chosen(group.nationality[who], NATIONALITIES),
            "sponsor_number": strings(n, "S", digits(scattered(file.sponsor[who], 8), 8), valid=file.sponsored[who]),
            "file": permit_files(group, who),
            "state": chosen(stage.state, STATES),
            "office": chosen(file.office[who], [o.office for o in offices()]),
            "category": chosen(file.category[who], CATEGORIES),
            "valid_from": days(np.where(given, span.origin + stage.valid_from, 0), given),
            "valid_to": days(np.where(given, span.origin + stage.valid_to, 0), given),
            "documents_complete": numbers(stage.complete, pa.bool_(), stage.state == APPLIED),
            "processing_days": numbers(stage.processing, pa.float64(), stage.processing >= 0),
            "happened_at": instants(happened),
            "known_at": instants(happened + lag),
        }
    )
    told = (happened + lag < span.now) & (stage.day < NEVER)
    return rows.filter(pa.array(told)), delivery[told]


def csv_lines(rows: pa.Table) -> str:
    """The rows as lines of the Arabic deliveries: day first, local time, Western digits."""
    local = rows["happened_at"].cast(pa.timestamp("s", tz="UTC"))
    local = pc.add(local, pa.scalar(3_600, pa.duration("s")))
    rows = rows.combine_chunks()
    texts = {
        "state": _worded(rows["state"], _STATE_WORDS),
        "category": _worded(rows["category"], _CATEGORY_WORDS),
        "valid_from": pc.strftime(rows["valid_from"], "%d/%m/%Y"),
        "valid_to": pc.strftime(rows["valid_to"], "%d/%m/%Y"),
        "documents_complete": pc.if_else(rows["documents_complete"], "نعم", "لا"),
        "processing_days": rows["processing_days"].cast(pa.int64()).cast(pa.string()),
        "happened_at": pc.strftime(local.cast(pa.timestamp("s")), "%d/%m/%Y %H:%M"),
    }
    fields = [pc.fill_null(texts.get(name, rows[name]).cast(pa.string()), "") for name in _COLUMNS]
    return "\n".join(pc.binary_join_element_wise(*fields, ";").to_pylist()) + "\n"


def indic_lines(rows: pa.Table) -> str:
    """The rows as lines of the Arabic deliveries with Arabic-Indic digits in dates and counts, not in identifiers."""
    plain = csv_lines(rows).splitlines()
    head = 8  # the columns before the first date
    cut = [line.split(";", head) for line in plain]
    return "\n".join(";".join([*c[:head], c[head].translate(_TO_INDIC)]) for c in cut) + "\n"


def _worded(column: pa.ChunkedArray, words: Mapping[str, str]) -> pa.Array:
    index = pc.index_in(column.combine_chunks().cast(pa.string()), pa.array(list(words)))
    return pa.array(list(words.values())).take(index)
