"""What a reconciliation is about."""

from typing import NamedTuple


class Scope(NamedTuple):
    """Some documents, some members, or some periods of members; what a rule earns there is compared with the ledger.

    :param origin_model: model of the origins, or None for a scope of members or periods
    :param origin_ids: ids of the origins
    :param document_ids: ids of all documents that belong to the origins, the origins among them
    :param standings: ``(buyer id, referrer id, day)`` where the documents stood when they were touched; they may be
        elsewhere now
    :param root_ids: ids of the members, where the scope is members
    :param periods: ``(member id, first day, last day)``, where the scope is periods; None for another scope
    """

    origin_model: str | None = None
    origin_ids: tuple = ()
    document_ids: tuple = ()
    standings: tuple = ()
    root_ids: tuple = ()
    periods: tuple | None = None
