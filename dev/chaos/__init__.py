"""Kills workers at random moments, lets many threads spend at once, and checks that nothing is missing or doubled."""
