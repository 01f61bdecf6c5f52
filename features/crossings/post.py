"""The border post at that hour."""

from features.declaration import count, crossings, days, derived, hours, lookup, mean, own, posts, trend, window
from features.formulas import difference, per_hour, ratio, resting_on

GROUP = "post"

post_of_crossing = own(
    "post",
    doc="The border post.",
    unit="post",
    texts={"ar": "المعبر: {value}", "fr": "Poste : {value}", "en": "Post: {value}"},
)

direction_of_crossing = own(
    "direction",
    doc="Into or out of the country.",
    unit="direction",
    texts={"ar": "اتجاه العبور: {value}", "fr": "Sens du passage : {value}", "en": "Direction: {value}"},
)

post_crossings_last_hour = window(
    count,
    of=crossings,
    per="post",
    last=hours(1),
    doc="How many travellers crossed at this post in the hour before, both ways.",
    unit="crossings",
    texts={
        "ar": "عدد العابرين خلال الساعة السابقة: {value}",
        "fr": "Passages au poste dans l'heure précédente : {value}",
        "en": "Crossings at the post in the hour before: {value}",
    },
)

post_crossings_last_24_hours = window(
    count,
    of=crossings,
    per="post",
    last=hours(24),
    doc="How many travellers crossed at this post in the 24 hours before, both ways.",
    unit="crossings",
    texts={
        "ar": "عدد العابرين خلال الأربع والعشرين ساعة السابقة: {value}",
        "fr": "Passages au poste en 24 heures : {value}",
        "en": "Crossings at the post in 24 hours: {value}",
    },
)

mean_booth_wait_minutes_last_2_hours = window(
    mean("booth_wait_minutes"),
    of=crossings,
    per="post",
    last=hours(2),
    doc="Mean wait before the booths of this post in the 2 hours before.",
    unit="minutes",
    texts={
        "ar": "متوسط الانتظار بالمعبر: {value}",
        "fr": "Attente moyenne au poste : {value}",
        "en": "Mean wait at the post: {value}",
    },
)

minutes_waited_above_usual = derived(
    difference,
    "mean_booth_wait_minutes_last_2_hours",
    window(mean("booth_wait_minutes"), of=crossings, per="post", last=days(30)),
    doc="By how many minutes the mean wait before the booths of this post in the 2 hours before is longer than in the "
    "30 days before; negative where it is shorter.",
    unit="minutes",
    texts={
        "ar": "فارق الانتظار عن المعتاد بالمعبر: {value}",
        "fr": "Attente au poste par rapport à l'habitude : {value}",
        "en": "Wait at the post beyond the usual: {value}",
    },
)

booth_wait_trend_last_6_hours = derived(
    resting_on(5),
    derived(per_hour, window(trend("booth_wait_minutes"), of=crossings, per="post", last=hours(6))),
    window(count, of=crossings, per="post", last=hours(6)),
    doc="By how many minutes an hour the wait before the booths of this post has grown over the 6 hours before; "
    "negative where it shrinks, null below five crossings.",
    unit="minutes per hour",
    texts={
        "ar": "تطور الانتظار بالمعبر: {value} في الساعة",
        "fr": "Évolution de l'attente au poste : {value} par heure",
        "en": "Wait at the post changes by {value} an hour",
    },
)

post_officers = lookup(
    "staff",
    of=posts,
    per="post",
    doc="How many officers are assigned to this post.",
    unit="officers",
    texts={
        "ar": "عدد أعوان المعبر: {value}",
        "fr": "Agents affectés au poste : {value}",
        "en": "Officers assigned to the post: {value}",
    },
)

post_crossings_per_booth_last_hour = derived(
    ratio,
    "post_crossings_last_hour",
    lookup("booths", of=posts, per="post"),
    doc="Crossings at this post in the hour before, for each of its booths.",
    unit="crossings per booth",
    texts={
        "ar": "عدد العابرين لكل شباك خلال الساعة السابقة: {value}",
        "fr": "Passages par guichet dans l'heure précédente : {value}",
        "en": "Crossings per booth in the hour before: {value}",
    },
)
