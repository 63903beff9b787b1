import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

import { markup } from "@odoo/owl";

registry.category("web_tour.tours").add("partner_loyalty_tour", {
    url: "/odoo/loyalty-todo",
    steps: () => [
        {
            trigger: ".o_onboarding_step[data-method=action_open_step_loyalty_program] button",
            content: _t("Everything begins with a program: choose a template for it."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=template] input[data-value=live]",
            content: markup(_t("<b>Live</b> gives points as soon as an order is confirmed: you will see it in a minute.")),
            tooltipPosition: "right",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_create_and_start]",
            content: _t("Take it as it is. Rules, tiers and rewards can be changed at any time."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".o_form_statusbar button.o_loyalty_enroll",
            content: markup(_t("The program runs. Now <b>enroll</b> a partner.")),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=partner_ids] input",
            content: _t("Write a few letters to find a company, or a new name to create one."),
            tooltipPosition: "right",
            run: "edit Harbor Trading",
        },
        {
            isActive: ["auto"],
            trigger: ".o-autocomplete--dropdown-item a:contains('Harbor Trading')",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_enroll]",
            content: _t("Enroll it: what it buys from today on earns."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".o_form_statusbar button[name=action_new_quotation]",
            content: _t("This is the account of the member. Let us see whether it earns: write it a quotation."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=order_line] .o_field_x2many_list_row_add a:first",
            content: _t("Add a product."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: `
                .o_selected_row .o_field_widget[name=product_id] input,
                .o_selected_row .o_field_widget[name=product_template_id] input
            `,
            content: _t("Choose one, or create it on the fly."),
            tooltipPosition: "right",
            run: "edit Espresso Machine",
        },
        {
            isActive: ["auto"],
            trigger: ".o-autocomplete--dropdown-item a:contains('Espresso Machine')",
            run: "click",
        },
        {
            // Wait until the product is there.
            trigger: ".o_selected_row .oi-arrow-right",
        },
        {
            // Its own price comes with its taxes, a little later, and would take the place of what is typed before.
            isActive: ["auto"],
            trigger: ".o_selected_row .o_field_widget[name=tax_ids] .o_tag",
        },
        {
            trigger: ".o_selected_row .o_field_widget[name=price_unit] input",
            content: _t("Enter its price."),
            tooltipPosition: "bottom",
            run: "edit 250 && press Tab",
        },
        {
            trigger: ".o_form_statusbar button[name=action_confirm]",
            content: markup(_t("<b>Confirm</b> the order.")),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            isActive: ["auto"],
            trigger: ".o_arrow_button_current[data-value=sale]",
        },
    ],
});
