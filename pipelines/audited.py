"""An audit by group as text for a terminal, in the words of the workbench."""

from __future__ import annotations

from datetime import date

from models.risk.report import table
from serving.audit_pages import in_words
from serving.audits import Kept
from serving.languages import language


def audit_text(kept: Kept, day: date) -> str:
    """What an audit made on `day` found: the gap fixed beforehand, those beyond chance, and a table per attribute."""
    english = language("en")
    told = in_words(kept, day, english)
    parts = [
        f"{told['made']} {told['tested']}",
        f"{english.say('audit.primary.title')}: {told['primary'] or english.say('audit.primary.none')}",
        "\n".join(line for view, said in told["found"] for line in (view, *said)) or english.say("audit.found.none"),
    ]
    for each in told["tables"]:
        blank = ("",) * (len(each["heads"]) - 1)
        rows = [
            (row["name"], row["rows"], *((row["note"], *blank) if row["note"] else row["cells"]))
            for row in each["rows"]
        ]
        head = (each["title"], english.say("audit.rows"), *each["heads"])
        parts.append("\n".join(part for part in (each["view"], table(head, rows), each["ratio"]) if part))
    if told["proxies"]:
        names = ("attribute", "column", "group", "told", "with", "without", "change")
        heads = [english.say(f"audit.proxy.{name}") for name in names]
        intro = english.say("audit.proxy.intro")
        parts.append(intro + "\n" + table(heads, [list(proxy.values()) for proxy in told["proxies"]]))
    return "\n\n".join(parts)
