import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

function press(name) {
    return {
        content: `Press ${name}`,
        trigger: `.o_form_statusbar button[name=${name}]:visible`,
        run: "click",
    };
}

function reach(state) {
    return {
        content: `It is ${state}`,
        trigger: `.o_arrow_button_current:contains(${state})`,
    };
}

function add(name, ...steps) {
    tours.add(`partner_loyalty_reward_${name}`, { steps: () => steps });
}

// What members get with the approval of a manager.
add("price", press("action_approve"), reach("Fulfilled"), {
    content: "It says how long the prices are valid",
    trigger: ".o_field_widget[name=valid_until]:contains(Jun 17)",
});
add("money", press("action_approve"), reach("Fulfilled"));
add("award", press("action_approve"), reach("Fulfilled"), {
    content: "There is a certificate to print",
    trigger: ".o_form_statusbar button[name=action_print_certificate]:visible",
});
add(
    "material",
    press("action_approve"),
    reach("Fulfilled"),
    {
        content: "The file is there",
        trigger: ".o_field_widget[name=file_ids] .o_data_row:contains(Price list)",
    }
);
add("support", press("action_approve"), reach("Fulfilled"));
add("early", press("action_approve"), reach("Fulfilled"));

// What an officer sees to.
add("product", press("action_fulfill"), reach("Fulfilled"));
add(
    "training",
    press("action_fulfill"),
    {
        content: "It is refused until the contact has finished",
        trigger: ".modal:contains(has not finished)",
    },
    {
        content: "Close the message",
        trigger: ".modal-footer button",
        run: "click",
    },
    press("action_send_invitation"),
    reach("To Fulfill")
);
add("certification", reach("Fulfilled"), {
    content: "It is known who has handed it out",
    trigger: ".o_field_widget[name=contact_id]:contains(Joe of Dealer)",
});
add(
    "consulting",
    {
        content: "Enter hours",
        trigger: ".o_field_widget[name=hour_ids] .o_field_x2many_list_row_add a",
        run: "click",
    },
    {
        content: "What was done",
        trigger: ".o_field_widget[name=hour_ids] .o_field_widget[name=name] input",
        run: "edit Workshop",
    },
    {
        content: "How long it took",
        trigger: ".o_field_widget[name=hour_ids] .o_field_widget[name=hours] input",
        run: "edit 4.5",
    },
    {
        content: "Save",
        trigger: ".o_form_button_save",
        run: "click",
    },
    {
        content: "So many are left",
        trigger: ".o_form_saved .o_field_widget[name=hour_text]:contains(3.5 of 8 hours left)",
    },
    press("action_fulfill"),
    {
        content: "Let the rest lapse",
        trigger: ".modal-footer button:contains(Let Them Lapse)",
        run: "click",
    },
    reach("Fulfilled")
);
add(
    "project",
    {
        content: "The milestone is reached",
        trigger: ".o_field_widget[name=milestone_ids] .o_data_row:contains(Interview) button[name=action_done]",
        run: "click",
    },
    {
        content: "It is known by whom",
        trigger: ".o_field_widget[name=milestone_ids] .o_data_row button[name=action_reopen]",
    },
    {
        content: "Write down the result",
        trigger: ".o_field_widget[name=result] textarea",
        run: "edit Published in May",
    },
    press("action_fulfill"),
    reach("Fulfilled")
);
add(
    "event",
    press("action_invite"),
    {
        content: "The dialog says how many will be invited",
        trigger: ".modal .o_field_widget[name=member_count]:contains(2)",
    },
    {
        content: "Invite them",
        trigger: ".modal button[name=action_invite]",
        run: "click",
    },
    {
        content: "Open an invitation",
        trigger: ".o_list_view .o_data_row:contains(Dealer) td[name=reward_id]",
        run: "click",
    },
    {
        content: "The member comes",
        trigger: ".o_form_statusbar button[name=action_request]:contains(Accept):visible",
        run: "click",
    },
    reach("To Approve")
);

// What salespeople see.
add("support_seen", {
    content: "The order says that the customer is served first",
    trigger: ".alert:contains(Answer within a day until 06/17/2026)",
});
add("early_refused", press("action_confirm"), {
    content: "It says from when on it can be ordered",
    trigger: ".modal:contains(can order it from 05/01/2026 on)",
});
add("early_confirmed", press("action_confirm"), {
    content: "The order is confirmed",
    trigger: ".o_arrow_button_current:contains(Sales Order)",
});
