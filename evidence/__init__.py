"""What checked records prove: metrics, intervals, estimates corrected for who was checked, tables by group.

This room reads attributes for audit alone and lets only aggregates leave.
"""
