"""Reason groups: what the reasons of a score are gathered under, in the words a reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

GROUPS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "papers": {"ar": "الوثائق", "fr": "Documents", "en": "Papers"},
        "itinerary": {"ar": "مسار السفر", "fr": "Itinéraire", "en": "Itinerary"},
        "frequency": {"ar": "وتيرة العبور", "fr": "Fréquence des passages", "en": "How often"},
        "rhythm": {"ar": "انتظام التنقل", "fr": "Rythme des passages", "en": "Rhythm of travel"},
        "stay": {"ar": "مدة الإقامة", "fr": "Durée du séjour", "en": "Length of stay"},
        "permit": {"ar": "رخصة الإقامة", "fr": "Titre de séjour", "en": "Residence permit"},
        "sponsor": {"ar": "الجهة الكفيلة", "fr": "Répondant", "en": "Sponsor"},
        "office": {"ar": "مكتب الأجانب", "fr": "Bureau des étrangers", "en": "Foreigners' office"},
        "party": {"ar": "المجموعة المسافرة", "fr": "Groupe de voyage", "en": "Travelling party"},
        "service": {"ar": "الرحلة", "fr": "Liaison", "en": "Service"},
        "post": {"ar": "المعبر", "fr": "Poste frontière", "en": "Border post"},
        "calendar": {"ar": "الروزنامة", "fr": "Calendrier", "en": "Calendar"},
        "findings": {
            "ar": "معاينات سابقة مثبتة",
            "fr": "Constats confirmés antérieurs",
            "en": "Earlier confirmed findings",
        },
        "travel": {"ar": "التنقل عبر الحدود", "fr": "Passages de frontière", "en": "Border crossings"},
    }
)
