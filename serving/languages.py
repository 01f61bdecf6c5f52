"""Interface texts and the ways numbers, dates and plurals are written, per language.

The texts live in `serving/texts/LANGUAGE.yaml`, those of one subject in SUBJECT.LANGUAGE.yaml beside it: flat
mappings from key to sentence. A sentence that counts something is a mapping from plural category (zero, one, two, few,
many, other) to sentence; the language decides which is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from babel import Locale
from babel.core import get_global
from babel.dates import format_date, get_day_names, get_month_names
from babel.numbers import format_decimal, format_percent

FOLDER = Path(__file__).parent / "texts"
# Tunisia writes Western digits in Arabic too, and has its own names of months.
LOCALES: Mapping[str, str] = {"ar": "ar_TN", "fr": "fr_TN", "en": "en_GB"}
LANGUAGES: tuple[str, ...] = tuple(LOCALES)
DEFAULT = "fr"

Text = str | Mapping[str, str]


@dataclass(frozen=True)
class Language:
    """One language a person can read the product in: `code` is ar, fr or en; `texts` its interface texts."""

    code: str
    texts: Mapping[str, Text]

    @property
    def direction(self) -> str:
        return "rtl" if self.code == "ar" else "ltr"

    @property
    def locale(self) -> str:
        return LOCALES[self.code]

    @property
    def symbols(self) -> dict[str, str]:
        """What parts whole numbers from decimals, and thousands from each other."""
        named = Locale.parse(self.locale).number_symbols["latn"]
        return {"decimal": str(named["decimal"]), "thousands": str(named["group"])}

    def say(self, key: str, count: float | None = None, **values: object) -> str:
        """The interface text `key`, filled in. `count` picks the plural form and fills {count}.

        KeyError if the language has no such text: a page never shows a key.
        """
        text = self.texts[key]
        if isinstance(text, str):
            chosen = text
        else:
            chosen = text.get(self.plural(count if count is not None else 0), text["other"])
        if count is not None:
            values["count"] = self.number(count)
        return chosen.format(**values)

    def say_or(self, key: str, otherwise: str) -> str:
        """The interface text `key`; `otherwise` where nobody wrote one, for names that come with the data."""
        return self.say(key) if self.has(key) else otherwise

    def has(self, key: str) -> bool:
        return key in self.texts

    def plural(self, count: float) -> str:
        return str(Locale.parse(self.locale).plural_form(count))

    def number(self, value: float, decimals: int = 1) -> str:
        """`value` with at most `decimals` decimals, as the language writes it; what rounds to nothing has no sign."""
        shown = "#,##0" + ("." + "#" * decimals if decimals else "")
        return str(format_decimal(value if round(value, decimals) else 0, format=shown, locale=self.locale))

    def signed(self, value: float, decimals: int = 1) -> str:
        """A change: `value` with its sign, zero without."""
        shown, written = "#,##0." + "#" * decimals, round(value, decimals)
        if not written:
            return self.number(0)
        return str(format_decimal(written, format=f"+{shown};-{shown}", locale=self.locale))

    def quantity(self, key: str, value: float, decimals: int = 1) -> str:
        """`value` with what it counts, the text `key`: "1 day", "2,5 jours", "يومان".

        The plural form is that of the number as written, so 0.96 days are one day. Where a form says the number in a
        word, as Arabic does of one and two, a negative number is still written with its digits.
        """
        forms = self.texts[key]
        written = round(value, decimals)
        if isinstance(forms, str):
            raise KeyError(f"The text '{key}' of language {self.code} has no plural forms.")
        form = forms.get(self.plural(written), forms["other"])
        if written < 0 and "{count}" not in form:
            form = forms["other"]
        return form.format(count=self.number(written, decimals))

    def per_hundred(self, probability: float) -> str:
        """A probability as so many of a hundred; small ones keep a decimal, so that 0.4% is not said to be none."""
        hundredfold = 100 * probability
        if 0 < hundredfold < 0.1:
            return self.say("score.under", least=self.number(0.1))
        return self.number(hundredfold, decimals=1 if hundredfold < 10 else 0)

    def share(self, part: float, decimals: int = 0) -> str:
        """A share between 0 and 1 as a percentage, with so many decimals at most; one too small for that is not said to
        be none."""
        least = 10 ** -(2 + decimals)
        if 0 < part < least / 2:
            return self.say("score.under", least=self.share(least, decimals))
        return str(format_percent(round(part, 2 + decimals), locale=self.locale, decimal_quantization=False))

    def day(self, value: date) -> str:
        return str(format_date(value, format="long", locale=self.locale))

    def weekday(self, value: date) -> str:
        return str(format_date(value, format="EEEE d MMMM", locale=self.locale))

    def short_weekday(self, value: date) -> str:
        return str(format_date(value, format="EEE d MMM", locale=self.locale))

    def weekday_name(self, number: int) -> str:
        """Name of a day of the week; 1 is Monday."""
        return str(get_day_names("wide", locale=self.locale)[number - 1])

    def month_name(self, number: int) -> str:
        """Name of a month; 1 is January."""
        return str(get_month_names("wide", locale=self.locale)[number])

    def country(self, code: str) -> str:
        """The name of a country by its ISO 3166 code of two or three letters; any other code as it is."""
        short = get_global("territory_aliases").get(code, [code])[0]
        return str(Locale.parse(self.locale).territories.get(short, code))

    def clock(self, value: datetime, zone: str) -> str:
        """Time of day of `value` in `zone`, on a 24-hour clock."""
        return value.astimezone(ZoneInfo(zone)).strftime("%H:%M")


@cache
def language(code: str) -> Language:
    """The language `code`. KeyError that lists the languages there are otherwise."""
    if code not in LOCALES:
        raise KeyError(f"There is no language '{code}'. Languages: {', '.join(LANGUAGES)}.")
    texts: dict[str, Text] = {}
    for path in (FOLDER / f"{code}.yaml", *sorted(FOLDER.glob(f"*.{code}.yaml"))):
        written = path.read_text(encoding="utf-8")
        texts |= yaml.safe_load(_held_together(written) if code == "fr" else written)
    return Language(code, texts)


def _held_together(french: str) -> str:
    """French signs with the space that parts them from their words, so that no line begins with one. The colon after a
    key has no space before it, and is left alone."""
    return re.sub(r"(?<=\S) (?=[:;?!»%])|(?<=«) ", "\u00a0", french)


def chosen(wanted: str | None, accepted: str | None) -> str:
    """The language to answer in: the one asked for, else the first of an Accept-Language header that we speak."""
    if wanted in LOCALES:
        return str(wanted)
    for part in (accepted or "").split(","):
        code = part.split(";")[0].strip().split("-")[0].lower()
        if code in LOCALES:
            return code
    return DEFAULT
