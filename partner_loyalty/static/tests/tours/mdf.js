import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function choose(field, name, label = name) {
    return [
        {
            content: `Look for ${name}`,
            trigger: `.o_field_widget[name=${field}] input`,
            run: `edit ${name}`,
        },
        {
            content: "Choose it",
            trigger: `.o-autocomplete--dropdown-item a:contains(${label})`,
            run: "click",
        },
    ];
}

function enter(field, value, input = "input") {
    return {
        content: `Enter ${field}`,
        trigger: `.o_field_widget[name=${field}] ${input}`,
        run: `edit ${value}`,
    };
}

function attach(name, type) {
    return {
        content: `Attach ${name}`,
        trigger: ".o_field_widget[name=mdf_proof_ids] input[type=file]:not(:visible)",
        run() {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["%PDF-1.4 What was spent"], name, { type }));
            this.anchor.files = transfer.files;
            this.anchor.dispatchEvent(new Event("change", { bubbles: true }));
        },
    };
}

tours.add("partner_loyalty_mdf_request", {
    steps: () => [
        ...choose("member_id", "Dealer", "Dealer (Dealer Club)"),
        {
            content: "The program is that of the member",
            trigger: ".o_field_widget[name=program_id]:contains(Dealer Club)",
        },
        ...choose("reward_id", "Marketing Money"),
        {
            content: "The fund that is in force is there",
            trigger: ".o_field_widget[name=mdf_fund_id] input:value(Spring)",
        },
        enter("mdf_plan", "Stand at the fair", "textarea"),
        enter("mdf_date_from", "04/10/2026"),
        enter("mdf_date_to", "04/12/2026"),
        enter("mdf_requested_amount", "400"),
        {
            content: "Request it",
            trigger: ".o_form_statusbar button[name=action_request]",
            run: "click",
        },
        {
            content: "It waits for approval, and says how much will be paid",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(To Approve)) [name=mdf_formula]:contains(50 % of what)",
        },
    ],
});

tours.add("partner_loyalty_mdf_approve", {
    steps: () => [
        enter("mdf_approved_amount", "300"),
        {
            content: "Approve less than was asked for",
            trigger: ".o_form_statusbar button[name=action_approve]",
            run: "click",
        },
        {
            content: "It is approved, and waits for its proof",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(To Fulfill)) [name=date_deadline]:contains(May 12)",
        },
    ],
});

tours.add("partner_loyalty_mdf_settle", {
    steps: () => [
        {
            content: "Settle without a proof",
            trigger: ".o_form_statusbar button[name=action_fulfill]",
            run: "click",
        },
        {
            content: "That is refused",
            trigger: ".modal:contains(Attach the proof) .modal-footer button",
            run: "click",
        },
        enter("mdf_spent_amount", "500"),
        attach("invoice.pdf", "application/pdf"),
        {
            content: "The file is there",
            trigger: ".o_field_widget[name=mdf_proof_ids] .o_attachment:contains(invoice.pdf)",
        },
        {
            content: "Settle",
            trigger: ".o_form_statusbar button[name=action_fulfill]",
            run: "click",
        },
        {
            content: "Half of what was spent is on the balance",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(Fulfilled)) [name=mdf_settled_amount]:contains(250.00)",
        },
    ],
});
