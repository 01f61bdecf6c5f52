from datetime import timedelta
from pathlib import Path

import click

from pipelines.lists import names, shares
from pipelines.outputs import output_file

MODELS = ("secondary_check", "permit_lapse")
File = click.Path(path_type=Path, dir_okay=False)


def _written(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    return None if path is None else output_file(context, option, path)


@click.command(short_help="Champion, challengers and simple baselines on the same folds.")
@click.argument("subject")
@click.option("--challenger", "challengers", callback=names, help="Also these: large, catboost.")
@click.option("--without", "leaving_out", callback=names, help="Of a model: one more challenger without these groups.")
@click.option("--label", help="Of a table: column of 0 and 1: was something found? Null where nobody looked.")
@click.option("--time", "time", help="Of a table: column with the moment of each case.")
@click.option("--known-at", help="Of a table: column with the moment its label was known.")
@click.option("--delay", type=click.IntRange(0), default=0, help="Of a table: days until an outcome is known.")
@click.option("--exclude", callback=names, help="Columns that are never features.")
@click.option("--audit", callback=names, help="Group columns for the audit; never features.")
@click.option("--allow", callback=names, help="Columns that may be used although they look like leaks.")
@click.option("--derive", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="YAML of columns to add.")
@click.option("--row-id", help="Column that names a case.")
@click.option("--examiner", help="Column of who looked: averaged out of every score.")
@click.option("--value", help="Column of what a finding is worth, known beforehand: value found, and order by it.")
@click.option("--rule-score", help="Column of rule points, compared as it is.")
@click.option("--post", help="Column of where a case was, for --post-capacity.")
@click.option(
    "--post-capacity",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML of the share of its cases that each post can look at, such as north: 0.04.",
)
@click.option("--capacity", callback=shares, default="0.01,0.02,0.05,0.10", show_default=True, help="Shares of cases.")
@click.option("--folds", "count", type=click.IntRange(1, 10), default=3, show_default=True, help="Expanding in time.")
@click.option("--draws", type=click.IntRange(20, 2000), default=200, show_default=True, help="Redrawn days.")
@click.option("--no-log", is_flag=True, help="Do not log to MLflow.")
@click.option("--lang", type=click.Choice(["ar", "fr", "en"]), default="en", show_default=True, help="Of the page.")
@click.option("--page", type=File, callback=_written, help="HTML file with pictures to write.")
@click.option("--json", "as_json", type=File, callback=_written, help="JSON file to write.")
def command(
    subject: str, challengers: tuple[str, ...], leaving_out: tuple[str, ...],
    label: str | None, time: str | None, known_at: str | None, delay: int, exclude: tuple[str, ...],
    audit: tuple[str, ...], allow: tuple[str, ...], derive: Path | None, row_id: str | None, examiner: str | None,
    value: str | None, rule_score: str | None, post: str | None, post_capacity: Path | None,
    capacity: tuple[float, ...], count: int, draws: int, no_log: bool, lang: str, page: Path | None,
    as_json: Path | None,
) -> None:  # fmt: skip
    """Compare models of SUBJECT: a model of the engine (secondary_check, permit_lapse), or a table of cases.

    \b
    basira risk compare secondary_check --challenger large --without service,post
    basira risk compare cases.parquet --label found --time seen_at --value duty --challenger catboost

    Everybody learns on the same folds, which expand in time, and is judged on what came after: PR-AUC, precision,
    recall and value at capacity, calibration, whether flags and reasons hold under another seed, a bootstrap and a
    month more of data, groups, and cost. Words say whether a difference is more than noise (paired, by redrawn days).

    Of the engine's own models groups of persons are compared where somebody is signed in who may train or audit: the
    identity vault is read for them, the journal says by whom, and groups below the cell threshold show no figure.
    """
    import json

    from models.risk.comparable import Beside
    from models.risk.comparison_report import text
    from models.risk.sources import Columns
    from pipelines.progress import say
    from pipelines.steps import comparing
    from pipelines.steps.signing_in import whoever_is_signed_in
    from records.errors import BadInput
    from records.settings import settings
    from serving.house import open_house

    here = settings()
    if subject in MODELS:
        found = comparing.compare_declared(
            here,
            subject,
            say,
            challengers=challengers,
            leaving_out=leaving_out,
            count=count,
            draws=draws,
            actor=whoever_is_signed_in(here, open_house(here)),
        )
    elif Path(subject).exists():
        if label is None or time is None:
            raise BadInput("A table needs --label and --time: which column says what was found, and which says when.")
        columns = Columns(label, time, row_id, exclude, audit, allow, derive, known_at, examiner)
        able = None if post_capacity is None else comparing.capacities(post_capacity)
        found = comparing.compare_table(
            Path(subject),
            columns,
            Beside(value, rule_score, post, able),
            say,
            challengers=challengers,
            delay=timedelta(days=delay),
            capacity=0.05 if 0.05 in capacity else max(capacity),
            capacities=capacity,
            count=count,
            draws=draws,
        )
    else:
        raise BadInput(f"'{subject}' is no model ({', '.join(MODELS)}) and no file. Name one of them.")
    click.echo(text(found))
    if as_json is not None:
        as_json.write_text(json.dumps(found.as_json(), ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")
    if page is not None:
        from serving.comparisons import page as drawn
        from serving.languages import language

        page.write_text(drawn(found.as_json(), language(lang)), encoding="utf-8")
    if not no_log:
        click.echo(f"logged to MLflow: run {comparing.log(here, found)}")
