"""``make external``: send orders to a running server over a bad line, and look whether each was rewarded once."""
