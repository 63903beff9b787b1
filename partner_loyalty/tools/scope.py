"""What a reconciliation is about."""

from typing import NamedTuple


class Scope(NamedTuple):
    """Either some documents or some members; what a rule earns for them is compared with what the ledger holds.

    :param origin_model: model of the origins, or None for a scope of members
    :param origin_ids: ids of the origins
    :param document_ids: ids of all documents that belong to the origins, the origins among them
    :param root_ids: ids of the members, where the scope is members
    """

    origin_model: str | None = None
    origin_ids: tuple = ()
    document_ids: tuple = ()
    root_ids: tuple = ()
