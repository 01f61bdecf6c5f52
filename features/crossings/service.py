"""The flight, ferry, train or coach, and the route it runs."""

from features.declaration import EVER, count, crossings, days, derived, distinct, lookup, own, permits, services, window
from features.formulas import hours_between, ratio

GROUP = "service"

_PERMITS_OF_PASSENGERS = permits.with_(crossings, on="subject")

travellers_announced_on_service = window(
    distinct("subject"),
    of=crossings.where(kind="advance"),
    per="service",
    last=EVER,
    ahead=EVER,
    doc="How many different travellers are announced on this service, as known at this one's moment: this one, if "
    "announced, and whoever crossed since, among them.",
    unit="travellers",
    texts={
        "ar": "عدد المسافرين المعلن عنهم على الرحلة: {value}",
        "fr": "Voyageurs annoncés sur ce service : {value}",
        "en": "Travellers announced on this service: {value}",
    },
)

service_passengers_with_permit_lapsed_last_30_days = window(
    distinct("subject"),
    of=_PERMITS_OF_PASSENGERS.where(state="expired"),
    per="service",
    last=days(30),
    doc="How many of this service's passengers, announced or crossed, had a residence permit that ended without "
    "renewal in the 30 days before.",
    unit="passengers",
    texts={
        "ar": "مسافرون على الرحلة انتهت رخصهم دون تجديد خلال ثلاثين يوما: {value}",
        "fr": "Passagers du service dont le titre a expiré en 30 jours : {value}",
        "en": "Passengers of the service whose permit lapsed in 30 days: {value}",
    },
)

share_of_service_passengers_with_permit_lapsed_last_30_days = derived(
    ratio,
    "service_passengers_with_permit_lapsed_last_30_days",
    window(distinct("subject"), of=_PERMITS_OF_PASSENGERS, per="service", last=EVER),
    doc="Of this service's passengers, announced or crossed, who have a permit file on record, which share had a "
    "permit that ended without renewal in the 30 days before.",
    unit="share",
    texts={
        "ar": "نسبة المسافرين على الرحلة الذين انتهت رخصهم دون تجديد خلال ثلاثين يوما: {value}",
        "fr": "Part des passagers du service titulaires dont le titre a expiré en 30 jours : {value}",
        "en": "Share of the service's permit holders whose permit lapsed in 30 days: {value}",
    },
)

service_seats = lookup(
    "seats",
    of=services,
    per="service",
    doc="Seats that the service offers.",
    unit="seats",
    texts={"ar": "عدد مقاعد الرحلة: {value}", "fr": "Service de {value} places", "en": "Service of {value} seats"},
)

service_delay_hours = derived(
    hours_between,
    lookup("happened_at", of=services, per="service"),
    lookup("estimated_at", of=services, per="service"),
    doc="By how many hours the service is estimated to be late, as known at as_of; negative where it is early.",
    unit="hours",
    texts={
        "ar": "التأخير المقدر للرحلة: {value}",
        "fr": "Retard estimé du service : {value}",
        "en": "Service estimated {value} late",
    },
)

route_crossings_last_30_days = window(
    count,
    of=crossings.with_(services, on="service"),
    per=("origin", "post"),
    last=days(30),
    doc="How many travellers crossed at this post on services from or to the same place in the 30 days before.",
    unit="crossings",
    texts={
        "ar": "عدد العابرين على هذا الخط خلال الثلاثين يوما السابقة: {value}",
        "fr": "Passages sur cette liaison en 30 jours : {value}",
        "en": "Crossings on this route in 30 days: {value}",
    },
)

lead_time_hours = derived(
    hours_between,
    own("as_of"),
    own("expected_at"),
    doc="How many hours before the crossing it was announced; 0 where it was not.",
    unit="hours",
    texts={
        "ar": "الإعلان المسبق عن العبور: {value}",
        "fr": "Annoncé {value} à l'avance",
        "en": "Announced {value} ahead",
    },
)

means_of_travel = own(
    "mode",
    doc="Means of travel: air, sea or land.",
    unit="means of travel",
    texts={"ar": "وسيلة النقل: {value}", "fr": "Mode de transport : {value}", "en": "Means of travel: {value}"},
)

share_of_route_in_post_last_7_days = derived(
    ratio,
    window(count, of=crossings.with_(services, on="service"), per=("origin", "post"), last=days(7)),
    window(count, of=crossings, per="post", last=days(7)),
    doc="Which share of the crossings at this post in the 7 days before came on services from or to the same place.",
    unit="share",
    texts={
        "ar": "نسبة هذا الخط من حركة المعبر خلال أسبوع: {value}",
        "fr": "Part de cette liaison dans le trafic du poste sur 7 jours : {value}",
        "en": "Share of this route in the post's crossings over 7 days: {value}",
    },
)
