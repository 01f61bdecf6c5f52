"""How long the traveller stays, against what was declared or is allowed."""

import numpy as np

from features.declaration import (
    EVER,
    count,
    crossings,
    days,
    days_in_a_row,
    days_present,
    derived,
    last,
    mean,
    own,
    permits,
    time_since,
    total,
    trend,
    window,
)
from features.formulas import Numbers, both, difference, is_one_of, overrun, per_year, positive, resting_on, where
from features.localtime import local_day

GROUP = "stay"

_permit_ends = window(last("valid_to"), of=permits.where(state=("granted", "renewed")), per="traveller", last=EVER)

_leaving = derived(is_one_of("exit"), own("direction"), returns="boolean")
_arriving = derived(is_one_of("entry"), own("direction"), returns="boolean")
_entered_last = derived(
    is_one_of("entry"),
    window(last("direction"), of=crossings, per="traveller", last=days(1826)),
    returns="boolean",
)

declared_stay_days = own(
    "declared_stay_days",
    doc="Length of stay declared at this entry.",
    unit="days",
    showable=True,
    texts={
        "ar": "مدة الإقامة المصرح بها: {value}",
        "fr": "Séjour déclaré : {value}",
        "en": "Declared stay: {value}",
    },
)

mean_declared_stay_days_last_365_days = window(
    mean("declared_stay_days"),
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(365),
    doc="Mean length of stay that the traveller declared at entries in the 365 days before.",
    unit="days",
    texts={
        "ar": "متوسط الإقامة المصرح بها خلال السنة السابقة: {value}",
        "fr": "Séjour déclaré en moyenne, sur 365 jours : {value}",
        "en": "Mean declared stay over 365 days: {value}",
    },
)

declared_stay_days_last_365_days = window(
    total("declared_stay_days"),
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(365),
    doc="Sum of the stays that the traveller declared at entries in the 365 days before.",
    unit="days",
    texts={
        "ar": "مجموع الإقامات المصرح بها خلال السنة السابقة: {value}",
        "fr": "Séjours déclarés en 365 jours, au total : {value}",
        "en": "Declared stays in 365 days, in all: {value}",
    },
)

declared_stay_trend_last_3_years = derived(
    resting_on(5),
    derived(
        per_year,
        window(trend("declared_stay_days"), of=crossings.where(direction="entry"), per="traveller", last=days(1096)),
    ),
    window(count, of=crossings.where(direction="entry"), per="traveller", last=days(1096)),
    doc="By how many days a year the stays that the traveller declares at entries have grown over the three years "
    "before; negative where they shrink, null below five entries.",
    unit="days per year",
    texts={
        "ar": "تطور مدد الإقامة المصرح بها: {value} في السنة",
        "fr": "Évolution des séjours déclarés : {value} par an",
        "en": "Declared stays change by {value} a year",
    },
)

days_present_last_365_days = window(
    days_present(365),
    of=crossings,
    per="traveller",
    last=days(1826),
    role="fact",
    doc="On how many of the last 365 local days, the day itself among them, the traveller was in the country, by the "
    "crossings on record. Days of entry and of exit count; of an entry whose exit is not on record only its own day "
    "does, unless it is the last crossing.",
    unit="days",
    texts={
        "ar": "أيام الحضور بالبلاد خلال 365 يوما: {value}",
        "fr": "Jours de présence sur 365 : {value}",
        "en": "Days in the country, of 365: {value}",
    },
)

days_present_in_a_row = window(
    days_in_a_row,
    of=crossings,
    per="traveller",
    last=days(1826),
    role="fact",
    doc="For how many local days in a row, up to the day itself, the traveller has been in the country, by the "
    "crossings on record; 0 where they are not in it.",
    unit="days",
    texts={
        "ar": "أيام الحضور المتتالية بالبلاد: {value}",
        "fr": "Jours de présence d'affilée : {value}",
        "en": "Days in the country in a row: {value}",
    },
)

stay_days = derived(
    where,
    derived(both, _leaving, _entered_last, returns="boolean"),
    window(time_since, of=crossings.where(direction="entry"), per="traveller", last=days(1826)),
    doc="At an exit: days since the entry before it. Null where that entry was not recorded.",
    unit="days",
    texts={
        "ar": "مدة الإقامة المنتهية: {value}",
        "fr": "Séjour qui s'achève : {value}",
        "en": "Stay that ends: {value}",
    },
)

days_over_declared_stay = derived(
    overrun,
    "stay_days",
    window(last("declared_stay_days"), of=crossings.where(direction="entry"), per="traveller", last=days(1826)),
    doc="At an exit: days by which the stay went past what was declared at its entry; 0 where it did not.",
    unit="days",
    texts={
        "ar": "تجاوز الإقامة المصرح بها (تحت الصفر: أقصر منها): {value}",
        "fr": "Séjour au-delà de la durée déclarée (sous 0 : plus court) : {value}",
        "en": "Stay beyond what was declared (below 0: shorter): {value}",
    },
)

open_entry_without_exit = derived(
    both,
    _arriving,
    _entered_last,
    returns="boolean",
    doc="At an entry: whether the entry before it has no recorded exit: a gap in the data, not a fault.",
    unit="yes or no",
    showable=True,
    texts={
        "ar": "دخول سابق دون خروج مسجل: {value}",
        "fr": "Entrée précédente sans sortie enregistrée : {value}",
        "en": "Earlier entry without a recorded exit: {value}",
    },
)

entries_beyond_exits_last_5_years = derived(
    difference,
    window(count, of=crossings.where(direction="entry"), per="traveller", last=days(1826)),
    window(count, of=crossings.where(direction="exit"), per="traveller", last=days(1826)),
    doc="How many more entries than exits of the traveller are on record in the five years before. Other than 0 or 1, "
    "crossings are missing from the records: a gap in the data, not a fault.",
    unit="crossings",
    texts={
        "ar": "الفارق بين عدد مرات الدخول والخروج المسجلة: {value}",
        "fr": "Entrées enregistrées de plus que de sorties : {value}",
        "en": "Entries on record beyond exits: {value}",
    },
)

_ALLOWED_WITHOUT_PERMIT = 90.0


def _past_allowance(stay: Numbers, permit_ends: Numbers, as_of: Numbers) -> Numbers:
    """Days of a stay past ninety, or past the permit's end where the traveller holds one; 0 where it is within."""
    past_permit = np.clip(local_day(as_of) - permit_ends, 0.0, stay)
    return np.where(np.isnan(permit_ends), np.maximum(stay - _ALLOWED_WITHOUT_PERMIT, 0.0), past_permit)


days_over_authorised_stay = derived(
    _past_allowance,
    "stay_days",
    _permit_ends,
    own("as_of"),
    role="fact",
    doc="At an exit: days of the stay past the end of the traveller's residence permit, or past ninety days where "
    "there is none on record; 0 where the stay is within. Null where the entry was not recorded.",
    unit="days",
    texts={
        "ar": "تجاوز مدة الإقامة المسموح بها: {value}",
        "fr": "Séjour autorisé dépassé de {value}",
        "en": "Authorised stay exceeded by {value}",
    },
)

stay_over_permitted_days = derived(
    positive,
    "days_over_authorised_stay",
    returns="boolean",
    role="fact",
    doc="At an exit: whether the stay went past the end of the traveller's permit, or past ninety days without one.",
    unit="yes or no",
    texts={
        "ar": "إقامة تجاوزت المدة المسموح بها: {value}",
        "fr": "Séjour au-delà de la durée autorisée : {value}",
        "en": "Stay past the authorised length: {value}",
    },
)


def _declared_past_permit(stay: Numbers, arrival: Numbers, permit_ends: Numbers) -> Numbers:
    return np.maximum(local_day(arrival) + stay - permit_ends, 0.0)


declared_stay_past_permit_days = derived(
    _declared_past_permit,
    own("declared_stay_days"),
    own("expected_at"),
    _permit_ends,
    doc="At an entry: days by which the declared stay runs past the end of the traveller's residence permit; 0 where "
    "it does not, null where there is no permit or no declaration.",
    unit="days",
    showable=True,
    texts={
        "ar": "تجاوز الإقامة المصرح بها لنهاية الرخصة (تحت الصفر: دونها): {value}",
        "fr": "Séjour déclaré au-delà de la fin du titre (sous 0 : en deçà) : {value}",
        "en": "Declared stay beyond the end of the permit (below 0: within it): {value}",
    },
)
