"""Real wholesale sales for a development database, and a check of the ledger that knows nothing of the app.

``make retail FILE=... [FROM=... TO=...]`` runs :mod:`retail.__main__`: it reads and checks the file (:mod:`.source`),
loads customers, products, invoices and credit notes (:mod:`.company`, :mod:`.load`), applies the program *Retail
dealers* to that past (:mod:`.program`, :mod:`.rules`) and compares the ledger (:mod:`.compare`) with what plain Python
makes of the file (:mod:`.recompute`).

The data: Chen, D. (2015), Online Retail, UCI Machine Learning Repository, licence CC BY 4.0.
"""
