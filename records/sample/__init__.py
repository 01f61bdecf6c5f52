"""The sample world: an invented country's worth of records, as raw supplies, with its hidden truth beside them."""

from records.sample.parameters import PARAMETERS, Parameters
from records.sample.supplies import Supply
from records.sample.world import World, make_world, open_world, world_summary

__all__ = ["PARAMETERS", "Parameters", "Supply", "World", "make_world", "open_world", "world_summary"]
