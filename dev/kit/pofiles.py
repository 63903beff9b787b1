"""Compare and merge translation files. Runs in the virtual environment, since it needs polib.

Usage: python -m kit.pofiles update|check EXPORTED.pot FOLDER LANGUAGE...
"""

import sys
from pathlib import Path

import polib

HEADER = "Translations of this module.\nThe template is made by 'make i18n'; 'make lint' checks that it is current."
WIDTH = 100


def main(action, exported, folder, *languages):
    """Update the files in ``folder``, or print what is wrong with them; return the exit code."""
    fresh, folder = read_template(Path(exported)), Path(folder)
    template = folder / Path(exported).name
    if action == "update":
        folder.mkdir(exist_ok=True)
        fresh.save(str(template))
        for language in languages:
            print(f"          {update(fresh, folder / f'{language}.po', language)}")
        return 0
    problems = template_problems(fresh, template)
    for language in languages:
        problems += language_problems(fresh, folder / f"{language}.po")
    print("\n".join(problems))
    return 1 if problems else 0


def read_template(file):
    """Return the exported template, without what changes from one export to the next."""
    fresh = polib.pofile(str(file), wrapwidth=WIDTH) if file.exists() else polib.POFile(wrapwidth=WIDTH)
    fresh.header = HEADER
    fresh.metadata = {
        "Project-Id-Version": "Odoo Server 19.0",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return fresh


def update(fresh, file, language):
    """Bring ``file`` in step with the template, keeping what is translated; return how far it is."""
    old = polib.pofile(str(file)) if file.exists() else polib.POFile()
    translated = {_key(entry): entry for entry in old}
    new = polib.POFile(wrapwidth=WIDTH)
    new.header, new.metadata = fresh.header, {**fresh.metadata, "Language": language}
    for entry in fresh:
        known = translated.get(_key(entry))
        new.append(
            polib.POEntry(
                msgid=entry.msgid,
                msgctxt=entry.msgctxt,
                msgstr=known.msgstr if known else "",
                comment=entry.comment,
                occurrences=entry.occurrences,
                flags=known.flags if known else entry.flags,
                tcomment=known.tcomment if known else "",
            )
        )
    new.save(str(file))
    return f"{file.name}: {len(new.untranslated_entries())} to translate, {len(new.fuzzy_entries())} to review"


def template_problems(fresh, file):
    """Return what differs between the committed template and a fresh export."""
    if not file.exists():
        return [f"{file.name} is missing: run 'make i18n'"] if len(fresh) else []
    committed = polib.pofile(str(file))
    mine, theirs = ({_content(entry) for entry in entries} for entries in (fresh, committed))
    if mine == theirs:
        return []
    examples = [key[0] for key in sorted(mine ^ theirs)[:5]]
    return [f"{file.name} is not current: run 'make i18n'. Texts that differ:", *(f"  {text!r}" for text in examples)]


def language_problems(fresh, file):
    """Return the texts that ``file`` leaves untranslated."""
    if not file.exists():
        return [f"{file.name} is missing: run 'make i18n'"] if len(fresh) else []
    entries = polib.pofile(str(file))
    done = {_key(entry) for entry in entries if entry.translated() and not entry.fuzzy}
    missing = [entry.msgid for entry in fresh if _key(entry) not in done]
    if not missing:
        return []
    return [f"{file.name}: {len(missing)} texts are not translated, such as:", *(f"  {text!r}" for text in missing[:5])]


def _key(entry):
    return entry.msgctxt or "", entry.msgid


def _content(entry):
    return entry.msgid, entry.msgctxt or "", tuple(sorted(entry.occurrences))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
