"""Joint projects as a reward: a brief, milestones, a result."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common_claim import ClaimCommon


@tagged("post_install", "-at_install")
class TestRewardProject(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_reward(name="Reference", kind="project")

    def _plan(self, *names, **values):
        """Ask for a project with a milestone for each name, and approve it."""
        milestones = [Command.create({"name": name, "date_deadline": "2026-04-30"}) for name in names]
        return self._approve(self.project, note="A case study", milestone_ids=milestones, **values)

    def test_a_project_begins_with_its_brief(self):
        claim = self._create_claim(self.project, note="  ")
        with self.assertRefused("Write the brief"):
            claim.action_request()
        claim.note = "A case study"
        claim.action_request()
        with self.assertRefused("cannot be changed any more"):
            claim.note = "Two case studies"

    def test_it_is_fulfilled_when_all_milestones_are_done_and_the_result_is_written(self):
        claim = self._plan("Interview", "Text")
        claim.result = "Published in May"
        claim.milestone_ids[0].action_done()
        with self.assertRefused("Milestones of " + claim.name + " are open: Text"):
            claim.action_fulfill()
        claim.milestone_ids[1].action_done()
        claim.action_fulfill()
        self.assertEqual(claim.state, "fulfilled")

    def test_it_is_not_fulfilled_without_a_result(self):
        claim = self._plan()
        for result in (False, "", "  "):
            claim.result = result
            with self.subTest(result=result), self.assertRefused("Write down first what came of"):
                claim.action_fulfill()

    def test_a_milestone_says_who_has_done_it_and_when(self):
        milestone = self._plan("Interview").milestone_ids
        self.assertRecordValues(milestone, [{"is_done": False, "done_by_id": False, "done_at": False}])
        milestone.action_done()
        self.assertRecordValues(milestone, [{"is_done": True, "done_by_id": self.users["officer"].id}])
        self.assertEqual(milestone.done_at.isoformat(), "2026-03-18T10:00:00")
        milestone.action_reopen()
        self.assertRecordValues(milestone, [{"is_done": False, "done_by_id": False, "done_at": False}])

    def test_nobody_writes_by_hand_who_has_done_it(self):
        milestone = self._plan("Interview").milestone_ids
        for name, value in {"is_done": True, "done_by_id": self.users["manager"].id, "done_at": "2026-01-01"}.items():
            with self.subTest(field=name), self.assertRefused("use the buttons", AccessError):
                milestone.write({name: value})
        with self.assertRefused("", AccessError):
            milestone.with_user(self.users["accountant"]).action_done()

    def test_milestones_stand_when_the_project_is_fulfilled(self):
        claim = self._plan("Interview")
        claim.milestone_ids.action_done()
        claim.result = "Published"
        claim.action_fulfill()
        for change in (claim.milestone_ids.action_reopen, claim.milestone_ids.unlink):
            with self.assertRefused("nothing can be changed any more"):
                change()
