"""A scenario over what is known ahead, as fewer ferries: the forecast made anew from the changed inputs."""

from dataclasses import dataclass

from models.volumes.counts.panel import Panel
from models.volumes.forecast import FlowForecast, forecast_panel
from models.volumes.options import Options
from models.volumes.pooling.rolling import Progress
from models.volumes.rhythm import quantiles_in
from models.volumes.what_if.scenarios import Effect, Scenario, effect, on_inputs
from records.errors import BadInput


@dataclass(frozen=True)
class Again:
    """The forecast from changed inputs, and what the change did to all of it."""

    told: FlowForecast
    effect: Effect


def forecast_again(
    panel: Panel, options: Options, before: FlowForecast, scenario: Scenario, progress: Progress | None = None
) -> Again:
    """Forecast the panel under the scenario, by the pool that answered `before`.

    BadInput where it changes flows themselves: that needs paths, which a published run keeps.
    """
    if any(change.known is None for change in scenario.changes):
        raise BadInput(
            f"Scenario {scenario.name!r} changes flows, not inputs: name the column in `known`, as in known: ferries. "
            "Over a published run, `basira volumes scenario` changes flows."
        )
    changed = on_inputs(panel, [_described(panel, row) for row in range(len(panel.ids))], scenario)
    told = forecast_panel(changed, options, progress, stored=before.learnt)
    return Again(told, effect(*(quantiles_in(made.forecasts)[None] for made in (before, told))))


def _described(panel: Panel, row: int) -> dict[str, str]:
    """The columns that `where` may name: the series itself, and its labels."""
    labels = {column: str(names[panel.groups[column][row]]) for column, names in panel.labels.items()}
    return {"unique_id": panel.ids[row], **labels}
