import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("partner_loyalty_coupon_approve", {
    steps: () => [
        {
            content: "Approve the codes",
            trigger: ".o_form_statusbar button[name=action_approve]",
            run: "click",
        },
        {
            content: "They can be printed and sent",
            trigger: ".o_form_statusbar:contains(Print Codes) button[name=action_send_codes]",
        },
        {
            content: "Nobody has used any of them",
            trigger: ".o_field_widget[name=card_text]:contains(0 of 3 used)",
        },
        {
            content: "All of them are listed",
            trigger: ".o_field_widget[name=card_ids] .o_data_row:contains(Unused):eq(2)",
        },
    ],
});
