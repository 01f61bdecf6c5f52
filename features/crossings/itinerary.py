"""Where the traveller goes: posts, means of travel, origins of services."""

from features.declaration import count, crossings, days, derived, distinct, own, services, share, window
from features.formulas import present, zero

GROUP = "itinerary"

_journeys = crossings.with_(services, on="service")

posts_used_last_365_days = window(
    distinct("post"),
    of=crossings,
    per="traveller",
    last=days(365),
    doc="At how many different posts the traveller crossed in the 365 days before.",
    unit="posts",
    texts={
        "ar": "عدد المعابر المستعملة خلال السنة السابقة: {value}",
        "fr": "Postes différents en 365 jours : {value}",
        "en": "Different posts in 365 days: {value}",
    },
)

modes_used_last_365_days = window(
    distinct("mode"),
    of=crossings,
    per="traveller",
    last=days(365),
    doc="By how many different means (air, sea, land) the traveller crossed in the 365 days before.",
    unit="means of travel",
    texts={
        "ar": "عدد وسائل النقل المستعملة خلال السنة السابقة: {value}",
        "fr": "Modes de transport différents en 365 jours : {value}",
        "en": "Different means of travel in 365 days: {value}",
    },
)

origins_last_365_days = window(
    distinct("origin"),
    of=_journeys,
    per="traveller",
    last=days(365),
    doc="How many different origins or destinations the traveller's services had in the 365 days before.",
    unit="places",
    texts={
        "ar": "عدد وجهات السفر المختلفة خلال السنة السابقة: {value}",
        "fr": "Provenances ou destinations différentes en 365 jours : {value}",
        "en": "Different origins or destinations in 365 days: {value}",
    },
)

crossings_with_this_origin_last_5_years = window(
    count,
    of=_journeys,
    per=("traveller", "origin"),
    last=days(1826),
    doc="How often the traveller crossed on services from or to the same place in the five years before.",
    unit="crossings",
    texts={
        "ar": "عدد مرات العبور على نفس الخط خلال السنوات الخمس السابقة: {value}",
        "fr": "Passages sur la même liaison en cinq ans : {value}",
        "en": "Crossings on the same route in five years: {value}",
    },
)

origin_new_for_traveller = derived(
    zero,
    "crossings_with_this_origin_last_5_years",
    returns="boolean",
    doc="Whether the traveller has not crossed from or to this service's place in the five years before.",
    unit="yes or no",
    texts={
        "ar": "خط جديد بالنسبة إلى المسافر: {value}",
        "fr": "Liaison nouvelle pour ce voyageur : {value}",
        "en": "Route is new for this traveller: {value}",
    },
)

crossings_at_this_post_last_365_days = window(
    count,
    of=crossings,
    per=("traveller", "post"),
    last=days(365),
    doc="How often the traveller crossed at this post in the 365 days before.",
    unit="crossings",
    texts={
        "ar": "عدد مرات العبور من هذا المعبر خلال السنة السابقة: {value}",
        "fr": "Passages à ce poste en 365 jours : {value}",
        "en": "Crossings at this post in 365 days: {value}",
    },
)

share_of_land_crossings_last_365_days = window(
    share(mode="land"),
    of=crossings,
    per="traveller",
    last=days(365),
    doc="Which share of the traveller's crossings in the 365 days before was by land.",
    unit="share",
    texts={
        "ar": "نسبة العبور برا خلال السنة السابقة: {value}",
        "fr": "Part des passages terrestres en 365 jours : {value}",
        "en": "Share of crossings by land in 365 days: {value}",
    },
)

addresses_declared_last_365_days = window(
    distinct("address_governorate"),
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(365),
    doc="In how many different governorates the traveller declared an address in the 365 days before.",
    unit="governorates",
    texts={
        "ar": "عدد الولايات المصرح بها عنوانا خلال السنة السابقة: {value}",
        "fr": "Gouvernorats déclarés comme adresse en 365 jours : {value}",
        "en": "Governorates declared as address in 365 days: {value}",
    },
)

address_declared = derived(
    present,
    own("address_governorate"),
    returns="boolean",
    doc="Whether an address in the country was declared.",
    unit="yes or no",
    showable=True,
    texts={
        "ar": "تم التصريح بعنوان: {value}",
        "fr": "Adresse déclarée : {value}",
        "en": "Address declared: {value}",
    },
)
