"""A year of the demo data, day by day."""
