"""Breaks each guard of the ledger on purpose, and shows that tests notice."""
