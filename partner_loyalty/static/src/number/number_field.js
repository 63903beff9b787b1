import { registry } from "@web/core/registry";
import { FloatField, floatField } from "@web/views/fields/float/float_field";
import { formatFloat, formatMonetary } from "@web/views/fields/formatters";

/** Shows points and the like without needless zeros, and money, where the record says that it is, with its currency. */
export class LoyaltyNumberField extends FloatField {
    get formattedValue() {
        const { unit, currency_id: currency } = this.props.record.data;
        if (this.props.readonly && unit === "money" && currency) {
            return formatMonetary(this.value, { currencyId: currency.id });
        }
        return super.formattedValue;
    }
}

registry.category("fields").add("partner_loyalty_number", {
    ...floatField,
    component: LoyaltyNumberField,
    extractProps: (fieldInfo) => ({ ...floatField.extractProps(fieldInfo), trailingZeros: false }),
});
// Odoo looks up by the widget of a column how to format its total; it would show zeros that the rows do not.
registry
    .category("formatters")
    .add("partner_loyalty_number", (value, options) => formatFloat(value, { ...options, trailingZeros: false }));
