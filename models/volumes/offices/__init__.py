"""Foreigners' offices: caseload, renewals that fall due, foreigners present."""
