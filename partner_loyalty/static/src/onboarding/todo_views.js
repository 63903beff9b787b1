import { registry } from "@web/core/registry";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";

import { LoyaltyOnboardingPanel } from "./onboarding_panel";

const views = registry.category("views");

export class LoyaltyTodoListRenderer extends ListRenderer {
    static template = "partner_loyalty.TodoListRenderer";
    static components = { ...ListRenderer.components, LoyaltyOnboardingPanel };
}

views.add("partner_loyalty_todo_list", { ...listView, Renderer: LoyaltyTodoListRenderer });

export class LoyaltyTodoKanbanRenderer extends KanbanRenderer {
    static template = "partner_loyalty.TodoKanbanRenderer";
    static components = { ...KanbanRenderer.components, LoyaltyOnboardingPanel };
}

views.add("partner_loyalty_todo_kanban", { ...kanbanView, Renderer: LoyaltyTodoKanbanRenderer });
