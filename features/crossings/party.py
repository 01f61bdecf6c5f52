"""Who travels together, in numbers alone."""

from features.declaration import EVER, count, crossings, days, derived, distinct, mean, own, window
from features.formulas import both, neither, zero

GROUP = "party"

party_size = own(
    "party_size",
    doc="How many persons are in the booking or group.",
    unit="persons",
    texts={
        "ar": "عدد أفراد المجموعة: {value}",
        "fr": "Taille du groupe : {value}",
        "en": "Size of the party: {value}",
    },
)

party_members_seen_or_announced = window(
    distinct("subject"),
    of=crossings.where(kind=("actual", "advance")),
    per="party",
    last=days(2),
    ahead=EVER,
    doc="How many different travellers of the party crossed or were due in the two days before, or are announced to "
    "come, as known at this one's moment: this one, if announced, among them.",
    unit="travellers",
    texts={
        "ar": "عدد أفراد المجموعة المسجلين خلال اليومين السابقين أو المعلن عنهم: {value}",
        "fr": "Membres du groupe vus en deux jours ou annoncés : {value}",
        "en": "Members of the party seen in two days or announced: {value}",
    },
)

crossings_with_this_party_last_365_days = window(
    count,
    of=crossings,
    per=("traveller", "party"),
    last=days(365),
    doc="How often the traveller crossed with this same booking or group in the 365 days before.",
    unit="crossings",
    texts={
        "ar": "عدد مرات العبور مع نفس المجموعة خلال السنة السابقة: {value}",
        "fr": "Passages avec ce même groupe en 365 jours : {value}",
        "en": "Crossings with this same party in 365 days: {value}",
    },
)

mean_party_size_last_365_days = window(
    mean("party_size"),
    of=crossings,
    per="traveller",
    last=days(365),
    doc="Mean size of the parties the traveller crossed with in the 365 days before.",
    unit="persons",
    texts={
        "ar": "متوسط حجم المجموعة خلال السنة السابقة: {value}",
        "fr": "Taille moyenne des groupes en 365 jours : {value}",
        "en": "Mean party size over 365 days: {value}",
    },
)

party_new_for_traveller = derived(
    zero,
    "crossings_with_this_party_last_365_days",
    returns="boolean",
    doc="Whether the traveller has not crossed with this booking or group in the 365 days before.",
    unit="yes or no",
    texts={
        "ar": "مجموعة جديدة بالنسبة إلى المسافر: {value}",
        "fr": "Groupe nouveau pour ce voyageur : {value}",
        "en": "Party is new for this traveller: {value}",
    },
)

child_without_declared_guardian = derived(
    both,
    own("under_18"),
    derived(neither, own("declared_guardian"), returns="boolean"),
    returns="boolean",
    role="fact",
    doc="Whether a child crosses and no guardian was declared. It reads a gate: for protection referrals alone.",
    unit="yes or no",
    texts={
        "ar": "قاصر دون ولي مصرح به: {value}",
        "fr": "Enfant sans accompagnant déclaré : {value}",
        "en": "Child without a declared guardian: {value}",
    },
)
