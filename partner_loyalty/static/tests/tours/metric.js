import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("partner_loyalty_read_metric", {
    steps: () => [
        {
            content: "Ask for the values of all members",
            trigger: ".o_form_view button[name=action_view_members]",
            run: "click",
        },
        {
            content: "Show them, of the program and period that are proposed",
            trigger: ".modal button[name=action_read_values]",
            run: "click",
        },
        {
            content: "The member has a value",
            trigger: ".o_list_view .o_data_row:contains(Dealer) td[name=text]:contains(1,234.50)",
        },
    ],
});
