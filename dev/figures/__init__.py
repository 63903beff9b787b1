"""The key figures of a program, worked out anew from the tables: nothing here knows the app.

``make figures`` runs :mod:`figures.__main__`: it asks the app for every key figure of every program in the database of
``make run`` over several times, and compares each with what :mod:`.recompute` makes in plain Python of the rows that
:mod:`.books` reads by plain ``SELECT``. ``make retail`` does the same for the program over real sales.
"""
