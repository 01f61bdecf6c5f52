"""A planner's overlays on what was published."""
