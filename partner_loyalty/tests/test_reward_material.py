"""Files as a reward: who gets which, and what cannot be uploaded."""

import base64

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common_claim import ClaimCommon

PDF = base64.b64encode(b"%PDF-1.7 A price list")


@tagged("post_install", "-at_install")
class TestRewardMaterial(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("uk_UA")
        silver, gold = cls.program._get_tiers()
        cls.material = cls._create_reward(
            name="Brochures",
            kind="material",
            file_ids=[
                cls._file("For all"),
                cls._file("Ukrainian", lang="uk_UA"),
                cls._file("English", lang="en_US"),
                cls._file("Silver", tier_ids=[Command.set(silver.ids)]),
                cls._file("Gold", tier_ids=[Command.set(gold.ids)]),
            ],
        )
        cls.portal = cls._create_role_user("portal", "base.group_portal", partner_id=cls.dealer_contact.id)

    @classmethod
    def _file(cls, name, file_name="prices.pdf", file=PDF, **values):
        return Command.create({"name": name, "file_name": file_name, "file": file, **values})

    def test_a_member_gets_the_files_of_its_tier_and_language(self):
        claim = self._approve(self.material)
        self.assertEqual(claim.state, "fulfilled")
        self.assertEqual(claim.file_ids.mapped("name"), ["For all", "English", "Silver"])
        self.dealer.lang = "uk_UA"
        self.assertEqual(claim.file_ids.mapped("name"), ["For all", "Ukrainian", "Silver"])
        self.member.sudo().tier_id = self.program._get_tiers()[1]
        self.assertEqual(claim.file_ids.mapped("name"), ["For all", "Ukrainian", "Gold"])

    def test_who_has_not_claimed_them_sees_none(self):
        claim = self._request(self.material)
        files = self.material.file_ids
        self.assertFalse(claim.file_ids)
        with self.assertRefused("", AccessError):
            files[0].with_user(self.portal).read(["file"])
        claim.with_user(self.users["manager"]).action_approve()
        self.assertEqual(files[0].with_user(self.portal).read(["file"])[0]["file"], PDF)
        with self.assertRefused("", AccessError):
            files[4].with_user(self.portal).read(["file"])
        claim.with_user(self.users["manager"]).action_take_back("Resold")
        with self.assertRefused("", AccessError):
            files[0].with_user(self.portal).read(["file"])

    def test_programs_are_refused_by_their_names_and_by_what_they_are(self):
        for file_name, content in (
            ("setup.exe", b"Anything"),
            ("SETUP.EXE", b"Anything"),
            ("page.html", b"<script/>"),
            ("prices.pdf", b"MZ\x90\x00"),
            ("prices.pdf", b"\x7fELF\x02"),
            ("prices", b"#!/bin/sh\nrm"),
        ):
            with self.subTest(file_name=file_name, content=content):
                file = self._file("Bad", file_name, base64.b64encode(content))
                with self.assertRefused("is a program or can run as one", ValidationError):
                    self._create_reward(kind="material", file_ids=[file])
                with self.assertRefused("is a program or can run as one", ValidationError):
                    self.material.file_ids[0].write({"file_name": file_name, "file": base64.b64encode(content)})

    def test_a_file_is_not_renamed_into_a_program(self):
        with self.assertRefused("is a program", ValidationError):
            self.material.file_ids[0].file_name = "prices.bat"

    def test_what_is_too_large_is_refused_with_both_sizes(self):
        file = self._file("Film", "film.mp4", b"AAAA" * (100 * 1024**2 // 3))
        with self.assertRefused("“film.mp4” has 100 MB, and a file can have 25", ValidationError):
            self.material.file_ids = [file]

    def test_what_is_no_file_is_refused(self):
        with self.assertRefused("could not be read", ValidationError):
            self.material.file_ids = [self._file("Broken", file=b"***")]

    def test_a_reward_without_files_says_so(self):
        with self.assertRefused("add at least one", ValidationError):
            self._create_reward(kind="material")
