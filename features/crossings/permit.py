"""The traveller's residence permit at the moment of the crossing."""

import numpy as np
import pyarrow as pa

from features.declaration import (
    EVER,
    count,
    crossings,
    days,
    derived,
    in_force,
    last,
    own,
    permits,
    smallest,
    window,
)
from features.formulas import (
    Numbers,
    both,
    days_after,
    days_before,
    is_one_of,
    negative,
    neither,
    present,
    same,
    shorter_of,
    where,
)

GROUP = "permit"

_STANDING = permits.where(state=("granted", "renewed"))

permit_state = window(
    last("state"),
    of=permits,
    per="traveller",
    last=EVER,
    doc="The newest state of any residence-permit file of the traveller.",
    unit="state",
    texts={
        "ar": "حالة ملف رخصة الإقامة: {value}",
        "fr": "État du dossier de séjour : {value}",
        "en": "State of the permit file: {value}",
    },
)

permit_category = window(
    last("category"),
    of=permits,
    per="traveller",
    last=EVER,
    doc="Category of the traveller's newest residence-permit file.",
    unit="category",
    texts={
        "ar": "صنف رخصة الإقامة: {value}",
        "fr": "Catégorie du titre de séjour : {value}",
        "en": "Category of the permit: {value}",
    },
)

permit_days_left = derived(
    days_before,
    own("expected_at"),
    window(last("valid_to"), of=_STANDING, per="traveller", last=EVER),
    doc="How many days the traveller's newest residence permit is still valid; negative where it has ended.",
    unit="days",
    showable=True,
    texts={
        "ar": "المتبقي من صلاحية الرخصة (تحت الصفر: انتهت): {value}",
        "fr": "Validité restante du titre (sous 0 : expiré) : {value}",
        "en": "Validity left on the permit (below 0: ended): {value}",
    },
)

permit_applications_last_365_days = window(
    count,
    of=permits.where(state="applied"),
    per="traveller",
    last=days(365),
    doc="How often the traveller applied for a residence permit or its renewal in the 365 days before.",
    unit="applications",
    texts={
        "ar": "عدد مطالب رخصة الإقامة خلال السنة السابقة: {value}",
        "fr": "Demandes de titre en 365 jours : {value}",
        "en": "Permit applications in 365 days: {value}",
    },
)

permit_refusals_last_3_years = window(
    count,
    of=permits.where(state="refused"),
    per="traveller",
    last=days(1096),
    doc="How often a residence permit was refused to the traveller in the three years before.",
    unit="refusals",
    texts={
        "ar": "عدد مرات رفض الرخصة خلال ثلاث سنوات: {value}",
        "fr": "Refus de titre en trois ans : {value}",
        "en": "Permit refusals in three years: {value}",
    },
)


def _known(file: pa.Array, state: pa.Array) -> Numbers:
    """Whether a file has a state; null where no file was shown."""
    return np.where(present(file) == 1, present(state), np.nan)


permit_shown_is_known = derived(
    _known,
    own("permit_file"),
    window(last("state"), of=permits, per="permit file", last=EVER),
    returns="boolean",
    doc="Whether the permit file shown at the booth is on record.",
    unit="yes or no",
    texts={
        "ar": "الرخصة المقدمة مسجلة: {value}",
        "fr": "Titre présenté connu des registres : {value}",
        "en": "Permit shown is on record: {value}",
    },
)

permit_shown_belongs_to_traveller = derived(
    same,
    own("subject"),
    window(last("subject"), of=permits, per="permit file", last=EVER),
    returns="boolean",
    role="fact",
    doc="Whether the permit file shown at the booth is on record under the traveller's own number.",
    unit="yes or no",
    texts={
        "ar": "الرخصة المقدمة باسم المسافر نفسه: {value}",
        "fr": "Titre présenté au nom du voyageur : {value}",
        "en": "Permit shown is the traveller's own: {value}",
    },
)

permit_in_force = in_force(
    of=_STANDING,
    per="traveller",
    doc="Whether a residence permit of the traveller holds on the day of the crossing.",
    texts={
        "ar": "رخصة إقامة سارية المفعول: {value}",
        "fr": "Titre de séjour en cours de validité : {value}",
        "en": "Residence permit in force: {value}",
    },
)

_returning = derived(
    both,
    derived(is_one_of("entry"), own("direction"), returns="boolean"),
    derived(
        is_one_of("exit"),
        window(last("direction"), of=crossings, per="traveller", last=days(1826)),
        returns="boolean",
    ),
    returns="boolean",
)

days_abroad_while_holding_permit = derived(
    where,
    derived(both, _returning, "permit_in_force", returns="boolean"),
    derived(
        shorter_of,
        "days_since_last_exit",
        derived(
            days_after,
            own("as_of"),
            window(smallest("valid_from"), of=_STANDING, per="traveller", last=EVER),
        ),
    ),
    role="fact",
    doc="At an entry of someone whose residence permit is in force: days since the exit before it, counted from the "
    "first day of the traveller's first permit where that came later. Null where the exit was not recorded or no "
    "permit holds; a gap between permits is not taken out.",
    unit="days",
    texts={
        "ar": "أيام الغياب عن البلاد مع حمل رخصة إقامة: {value}",
        "fr": "Jours à l'étranger en détenant un titre : {value}",
        "en": "Days abroad while holding a permit: {value}",
    },
)

permit_expired = derived(
    negative,
    "permit_days_left",
    returns="boolean",
    role="fact",
    doc="Whether the traveller's newest residence permit has ended on the day of the crossing; null without a permit.",
    unit="yes or no",
    texts={
        "ar": "رخصة إقامة منتهية: {value}",
        "fr": "Titre de séjour expiré : {value}",
        "en": "Residence permit expired: {value}",
    },
)

renewal_filed = derived(
    is_one_of("applied"),
    "permit_state",
    returns="boolean",
    role="fact",
    doc="Whether the traveller's newest step is an application not yet decided.",
    unit="yes or no",
    texts={
        "ar": "مطلب تجديد قيد الدرس: {value}",
        "fr": "Demande en cours d'examen : {value}",
        "en": "Application under examination: {value}",
    },
)

permit_expired_without_renewal = derived(
    both,
    "permit_expired",
    derived(neither, "renewal_filed", returns="boolean"),
    returns="boolean",
    role="fact",
    doc="Whether the traveller's newest residence permit has ended and no application is under examination.",
    unit="yes or no",
    texts={
        "ar": "رخصة منتهية دون مطلب تجديد: {value}",
        "fr": "Titre expiré sans demande de renouvellement : {value}",
        "en": "Permit expired and no renewal filed: {value}",
    },
)

permit_withdrawn = derived(
    is_one_of("withdrawn"),
    "permit_state",
    returns="boolean",
    role="fact",
    doc="Whether the traveller's newest residence-permit file was withdrawn.",
    unit="yes or no",
    texts={
        "ar": "رخصة مسحوبة: {value}",
        "fr": "Titre de séjour retiré : {value}",
        "en": "Residence permit withdrawn: {value}",
    },
)
