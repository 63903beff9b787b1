import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
// Twelve from the list of apps on; the first of them is “Activate” there.
const CLICKS = 11;

let clicks = 0;

/** A field that has the focus already needs no click, which a tour gives it all the same. */
function count(ev) {
    clicks += ev.target === document.activeElement ? 0 : 1;
}

/** The tour that users are offered, with somebody who counts the clicks that it takes. */
tours.add("partner_loyalty_first_run", {
    steps: () => [
        {
            content: "Begin to count",
            trigger: ".o_partner_loyalty_onboarding",
            run: () => document.addEventListener("pointerdown", count, { capture: true }),
        },
        ...tours.get("partner_loyalty_tour").steps(),
        {
            content: "Look how many it took",
            trigger: ".o_form_view:has(.o_arrow_button_current[data-value=sale])",
            run: () => {
                document.removeEventListener("pointerdown", count, { capture: true });
                if (clicks < 8 || clicks > CLICKS) {
                    throw new Error(`The first run takes ${clicks} clicks, where it may take ${CLICKS}.`);
                }
            },
        },
    ],
});

tours.add("partner_loyalty_panel", {
    steps: () => [
        {
            content: "What is done already has no button",
            trigger: "[data-method=action_open_step_loyalty_program]:not(:has(button)):contains(It is there)",
        },
        {
            content: "Choose journal and product",
            trigger: "[data-method=action_open_step_loyalty_payout] button",
            run: "click",
        },
        {
            content: "Look for the journal",
            trigger: ".modal .o_field_widget[name=loyalty_payout_journal_id] input",
            run: "click",
        },
        {
            content: "Take the first one",
            trigger: ".o-autocomplete--dropdown-item a:not(.o_loading):first",
            run: "click",
        },
        {
            content: "It is taken",
            trigger: ".modal .o_field_widget[name=loyalty_payout_journal_id] .o_external_button",
        },
        {
            content: "Look for the product",
            trigger: ".modal .o_field_widget[name=loyalty_payout_product_id] input",
            run: "edit Bonus",
        },
        {
            // What is offered for the whole word has a line to create it, too.
            content: "Take it",
            trigger: `.o-autocomplete--dropdown-menu:has(.o_m2o_dropdown_option_create:contains(Bonus))
                      .o-autocomplete--dropdown-item:not(.o_m2o_dropdown_option) a:contains(Bonus):first`,
            run: "click",
        },
        {
            content: "It is taken",
            trigger: ".modal .o_field_widget[name=loyalty_payout_product_id] .o_external_button",
        },
        {
            // Odoo loads the page anew where a company changes.
            content: "Save",
            trigger: ".modal button[name=action_save_loyalty_payout]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "That is done as well",
            trigger: "[data-method=action_open_step_loyalty_payout]:contains(Payouts can be billed)",
        },
        {
            content: "Close the panel",
            trigger: ".o_partner_loyalty_onboarding .o_onboarding_btn_close",
            run: "click",
        },
        {
            content: "It is gone",
            trigger: ".o_list_renderer:not(:has(.o_partner_loyalty_onboarding))",
        },
        {
            content: "There is no panel any more",
            trigger: "body:not(:has(.o_partner_loyalty_onboarding))",
        },
    ],
});
