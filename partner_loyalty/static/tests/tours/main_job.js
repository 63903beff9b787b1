import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function openMenu(xmlid) {
    return [
        {
            content: "Open the app",
            trigger: ".o_navbar_apps_menu button",
            run: "click",
        },
        {
            content: "Choose Partner Loyalty",
            trigger: ".o_app[data-menu-xmlid='partner_loyalty.partner_loyalty_menu_root']",
            run: "click",
        },
        {
            content: "Open the menu",
            trigger: `.o_menu_sections [data-menu-xmlid='${xmlid}']`,
            run: "click",
        },
    ];
}

function chooseProgram() {
    return [
        {
            content: "Look for the program",
            trigger: ".modal .o_field_widget[name=program_id] input",
            run: "edit Dealer Club",
        },
        {
            content: "Choose it",
            trigger: ".o-autocomplete--dropdown-item a:contains(Dealer Club)",
            run: "click",
        },
    ];
}

tours.add("partner_loyalty_enroll", {
    steps: () => [
        {
            content: "Open the loyalty page of the partner",
            trigger: ".o_notebook_headers .nav-link:contains(Loyalty)",
            run: "click",
        },
        {
            content: "Enroll the partner",
            trigger: "button[name=action_enroll_loyalty]",
            run: "click",
        },
        ...chooseProgram(),
        {
            content: "The dialog says who will be enrolled",
            trigger: ".modal .o_field_widget[name=enroll_count]:contains(1)",
        },
        {
            content: "Confirm",
            trigger: ".modal button[name=action_enroll]",
            run: "click",
        },
        {
            content: "The membership is there, in the lowest tier",
            trigger: ".o_form_view:contains(Silver) .o_arrow_button_current:contains(Active)",
        },
    ],
});

tours.add("partner_loyalty_sell", {
    steps: () => [
        {
            content: "Confirm the order",
            trigger: ".o_form_statusbar button[name=action_confirm]:visible",
            run: "click",
        },
        {
            content: "Create its invoice",
            trigger: ".o_form_statusbar button:contains(Create Invoice):visible",
            run: "click",
        },
        {
            content: "As a draft",
            trigger: ".modal button[name=create_invoices]",
            run: "click",
        },
        {
            content: "Post it",
            trigger: ".o_form_statusbar button[name=action_post]:visible",
            run: "click",
        },
        {
            content: "It is posted",
            trigger: ".o_arrow_button_current:contains(Posted)",
        },
    ],
});

tours.add("partner_loyalty_prepare_payout", {
    steps: () => [
        ...openMenu("partner_loyalty.partner_loyalty_menu_payouts"),
        {
            content: "Choose the payouts in it",
            trigger: ".dropdown-menu [data-menu-xmlid='partner_loyalty.partner_loyalty_payout_menu']",
            run: "click",
        },
        {
            content: "Prepare payouts",
            trigger: ".o_control_panel button:contains(Prepare Payouts)",
            run: "click",
        },
        ...chooseProgram(),
        {
            content: "The dialog says how much it will be",
            trigger: ".modal .o_field_widget[name=payable_amount]:contains(20.00)",
        },
        {
            content: "Prepare",
            trigger: ".modal button[name=action_prepare]",
            run: "click",
        },
        {
            content: "Submit the payout",
            trigger: ".o_form_statusbar button[name=action_submit]",
            run: "click",
        },
        {
            content: "Yes, take the money off the balance",
            trigger: ".modal-footer button:contains(Submit)",
            run: "click",
        },
        {
            content: "It waits for approval",
            trigger: ".o_arrow_button_current:contains(To Approve)",
        },
        {
            content: "Who prepared it cannot approve it",
            trigger: ".o_form_statusbar:not(:has(button[name=action_approve]))",
        },
    ],
});

tours.add("partner_loyalty_approve_payout", {
    steps: () => [
        ...openMenu("partner_loyalty.partner_loyalty_todo_menu"),
        {
            content: "Open what waits",
            trigger: ".o_data_row:contains(Browser Dealer) button[name=action_open]",
            run: "click",
        },
        {
            content: "Approve the payout",
            trigger: ".o_form_statusbar button[name=action_approve]",
            run: "click",
        },
        {
            content: "It is approved",
            trigger: ".o_arrow_button_current:contains(Approved)",
        },
    ],
});
