"""A generic example of a shop that sends its orders."""
