"""What the README shows is there, and what it quotes is what the files say."""

import re

import pytest
from kit import commands, paths

README = (paths.PROJECT / "README.md").read_text()
QUOTES = re.findall(r"<!-- quoted from (\S+) -->\n```\w+\n(.*?)\n```", README, re.DOTALL)
PICTURES = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
APPS_PAGES = sorted(paths.PROJECT.glob("partner_loyalty*/static/description/index.html"))


def test_the_readme_has_quotes_and_pictures():
    assert len(QUOTES) >= 3
    assert len(PICTURES) >= 5


@pytest.mark.parametrize(("file", "text"), QUOTES, ids=[file for file, _text in QUOTES])
def test_what_is_quoted_is_in_the_file(file, text):
    assert text in (paths.PROJECT / file).read_text()


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_are_there_and_small(picture):
    assert (paths.PROJECT / picture).stat().st_size < 200_000


def test_each_command_is_told_of():
    told = set(re.findall(r"`(?:make|dev/start) ([\w-]+)", README))
    assert set(commands.COMMANDS) - told - {"help"} == set()


@pytest.mark.parametrize("page", APPS_PAGES, ids=lambda page: page.parts[-4])
def test_the_pictures_of_an_apps_page_lie_beside_it(page):
    pictures = re.findall(r'src="([^"]+)"', page.read_text())
    assert pictures
    for picture in pictures:
        assert "/" not in picture
        assert (page.parent / picture).exists()


@pytest.mark.parametrize("page", APPS_PAGES, ids=lambda page: page.parts[-4])
def test_an_apps_page_has_no_scripts_or_styles_of_its_own(page):
    assert not re.search(r"<(script|style|link|iframe)|on\w+=|javascript:|https?://", page.read_text())
