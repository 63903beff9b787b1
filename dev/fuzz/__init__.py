"""Random sequences of everything that can happen to the ledger, compared with a reference model in plain Python."""
