from odoo.fields import Command

from odoo.addons.partner_loyalty.tests.common import PartnerLoyaltyCommon


class PartnerLoyaltyMarginCommon(PartnerLoyaltyCommon):
    """Rules on the margin, and orders whose lines have a cost."""

    roles = ()

    @classmethod
    def _prepare_rule(cls, **values):
        return super()._prepare_rule(**{"formula": "margin", **values})

    @classmethod
    def _create_costed_order(cls, partner, *lines, date="2026-03-10", confirm=True, **values):
        """Create an order with a line for each triple of price, cost and quantity, or a dict of other values."""
        order = cls._create_order(partner, confirm=False, **values)
        order.order_line = [Command.create(cls._prepare_costed_line(line)) for line in lines]
        if confirm:
            order.action_confirm()
            order.date_order = date
        return order

    @classmethod
    def _prepare_costed_line(cls, line):
        if isinstance(line, dict):
            more = line
        else:
            more = dict(zip(("price_unit", "purchase_price", "product_uom_qty"), line, strict=False))
        return {"product_id": cls.thing.id, "product_uom_qty": 1, "tax_ids": [Command.clear()], **more}

    @classmethod
    def _invoice_order(cls, order, *quantities, date="2026-03-10", post=True):
        """Invoice an order in full, or so much of each line."""
        invoice = order._create_invoices()
        invoice.invoice_date = date
        for line, quantity in zip(invoice.invoice_line_ids, quantities, strict=False):
            line.quantity = quantity
        if post:
            invoice.action_post()
        return invoice
