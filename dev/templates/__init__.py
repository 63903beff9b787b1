"""A year of each program template, with people who do everything that it rewards."""
