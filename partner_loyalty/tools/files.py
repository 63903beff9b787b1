"""What may be uploaded: documents and pictures, and nothing that a click would run."""

import base64
import binascii
from pathlib import PurePath

# Bytes that one file can have.
MAX_FILE_SIZE = 25 * 1024 * 1024

# How the names of programs and scripts end.
PROGRAM_ENDINGS = (
    *(".app", ".bat", ".cmd", ".com", ".cpl", ".dll", ".dmg", ".exe", ".hta", ".jar", ".jse", ".lnk", ".msi", ".msp"),
    *(".pif", ".ps1", ".reg", ".scr", ".sh", ".vb", ".vbe", ".vbs", ".wsf"),
    # What a browser runs when it is opened.
    *(".htm", ".html", ".js", ".svg", ".xhtml"),
)
# What programs and scripts begin with, whatever their names.
PROGRAM_BEGINNINGS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")


def get_refusal_of_file(env, name, content):
    """Return why a file cannot be taken, in words, or None.

    :param env: environment whose language the words are in
    :param str name: name of the file
    :param content: its bytes in base64, as Odoo holds them
    """
    terms = {"file": name}
    content = content.encode() if isinstance(content, str) else bytes(content)
    # By its length, before anything that large is read.
    size = len(content) * 3 // 4
    if size > MAX_FILE_SIZE:
        return env._(
            "“%(file)s” has %(size)s MB, and a file can have %(most)s: make it smaller, or share it by a link.",
            size=round(size / 1024**2),
            most=MAX_FILE_SIZE // 1024**2,
            **terms,
        )
    try:
        beginning = base64.b64decode(content[:64], validate=True)
    except binascii.Error:
        return env._("“%(file)s” could not be read: upload it again.", **terms)
    if PurePath(name or "").suffix.lower() in PROGRAM_ENDINGS or beginning.startswith(PROGRAM_BEGINNINGS):
        return env._("“%(file)s” is a program or can run as one: upload a document or a picture.", **terms)
    return None
