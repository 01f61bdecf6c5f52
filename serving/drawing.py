"""How pictures look: colours of the pages, light or dark, right to left in Arabic; drawn here without a browser.

A picture is a Vega-Lite specification in the reader's language. `svg` and `png` draw it, `inline` puts it into a page,
where its colours follow the page's own, so that one drawing serves light and dark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from babel.dates import get_day_names, get_month_names

from serving.languages import Language

Spec = dict[str, Any]
FONT: Final = "'Noto Sans', 'Noto Sans Arabic', 'Segoe UI', Tahoma, sans-serif"
# Colour names of static/basira.css, with their values by light and by dark.
COLOURS: Final = {
    "ink": ("#17242b", "#e8eef0"),
    "faint": ("#52626b", "#a5b4bb"),
    "line": ("#d9dfe0", "#2d3b43"),
    "card": ("#ffffff", "#18232a"),
    "accent": ("#0f5b66", "#6cc3cf"),
    "soft": ("#e4eff0", "#1f343a"),
    "raises": ("#a8450f", "#f0a071"),
    "lowers": ("#2c6c4a", "#83cfa3"),
}


AXIS: Final[Mapping[str, str]] = {"clock": "%H:%M", "hour": "%-d/%-m %H:%M", "day": "%-d %b", "month": "%b %Y"}
"""How an axis writes moments by step; `clock` is for the hours of one day."""
NARROW: Final = 340  # pixels: what a phone has room for


@dataclass(frozen=True)
class Look:
    """For whom a picture is drawn, and how wide, in pixels."""

    language: Language
    dark: bool = False
    width: int = 720

    @property
    def narrow(self) -> bool:
        return self.width <= NARROW

    @property
    def rtl(self) -> bool:
        return self.language.direction == "rtl"

    @property
    def start(self) -> str:
        """The side where the reader begins."""
        return "right" if self.rtl else "left"

    def colour(self, name: str) -> str:
        return COLOURS[name][self.dark]

    def text(self, words: str) -> str:
        """Words that keep their own direction inside a picture, which runs from left to right for its drawer."""
        return f"\u2067{words}\u2069" if self.rtl and any(c.isalpha() for c in words) else words

    def onward(self, pixels: float) -> float:
        """So many pixels in the direction of reading."""
        return -pixels if self.rtl else pixels


def altair() -> Any:
    """Vega-Altair, brought in with the first picture: most pages show none."""
    import altair

    return altair


def time_axis(step: str, look: Look, padding: int = 0) -> Any:
    """The axis of moments `at`, labelled as steps of an hour, day or month are; `padding` in pixels at its ends."""
    alt = altair()
    # A day and its month stay in reading order, whatever way the picture runs.
    written = f"\u2067{AXIS[step]}\u2069" if look.rtl and step in ("day", "month") else AXIS[step]
    axis = alt.Axis(format=written, labelOverlap=True, tickCount=max(3, look.width // 110))
    return alt.X("at:T", title=None, scale=alt.Scale(type="utc", padding=padding), axis=axis)


def finished(chart: Any, look: Look, description: str) -> Spec:
    """The specification of an Altair chart in the colours and letters of `look`, with what it shows in words."""
    words = {"labelColor": look.colour("faint"), "titleColor": look.colour("faint"), "labelFontSize": 13}
    symbols = look.language.symbols
    lines = {name: look.colour("line") for name in ("gridColor", "domainColor", "tickColor")}
    spec: Spec = chart.properties(background=look.colour("card"), description=description).to_dict(validate=False)
    spec["config"] = {
        "font": FONT,
        "view": {"stroke": None},
        "axis": {**words, **lines, "titleFontSize": 13, "titleFontWeight": 500},
        "axisY": {"orient": look.start, "labelLimit": 260, "labelPadding": 8},
        "legend": {**words, "orient": "top", "direction": "vertical" if look.narrow else "horizontal"},
        "locale": {
            "number": {**symbols, "grouping": [3], "currency": ["", ""]},
            "time": _time_locale(look.language.locale),
        },
    }
    return spec


@lru_cache(maxsize=8)
def _time_locale(locale: str) -> dict[str, Any]:
    """How Vega writes days and months, as the pages do. Its weeks begin on Sunday."""

    def days(width: str) -> list[str]:
        names = get_day_names(width, locale=locale)
        return [str(names[(day - 1) % 7]) for day in range(7)]

    def months(width: str) -> list[str]:
        return [str(name) for _, name in sorted(get_month_names(width, locale=locale).items())]

    return {
        "dateTime": "%-d %B %Y, %H:%M",
        "date": "%-d %B %Y",
        "time": "%H:%M",
        "periods": ["", ""],
        "days": days("wide"),
        "shortDays": days("abbreviated"),
        "months": months("wide"),
        "shortMonths": months("abbreviated"),
    }


def svg(spec: Spec) -> str:
    """The picture as SVG; nothing is fetched."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def png(spec: Spec, scale: float = 2) -> bytes:
    """The picture as PNG, `scale` pixels to each of its own; nothing is fetched."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[]))


def inline(spec: Spec) -> str:
    """The SVG of a light picture to stand in a page, which gives it its colours."""
    drawn = svg(spec)
    for name, (light, _) in COLOURS.items():
        drawn = drawn.replace(f'"{light}"', f'"var(--{name})"')
    return drawn


@dataclass(frozen=True)
class Drawn:
    """A picture as it stands in a page, for a desk and for a phone, and what it says in words."""

    wide: str
    narrow: str
    words: str

    def __html__(self) -> str:
        # Drawn from our own texts, every one of them escaped by the drawer.
        return f'<div class="wide">{self.wide}</div><div class="narrow">{self.narrow}</div>'


def drawn(
    picture: Callable[[Look], Spec | None],
    language: Language,
    *,
    width: int = Look.width,
    form: Callable[[Spec], str] = inline,
) -> Drawn | None:
    """A picture drawn twice, `width` pixels wide and narrow; None where there is nothing to draw."""
    wide, narrow = (picture(Look(language, width=each)) for each in (width, NARROW))
    if wide is None or narrow is None:
        return None
    return Drawn(form(wide), form(narrow), wide["description"])
