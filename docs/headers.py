# SPDX-License-Identifier: BSD-3-Clause
"""A header as Doxygen is to read it, by its INPUT_FILTER: the headers are written for people.

Remarks behind fields and enumerators become their documentation; "errors:", "shape:", "owner:" and the like become
paragraphs of their own with a title; a struct and its typedef are one thing."""
import re
import sys

TITLES = "shape|owner|errors|thread|alias|opt|units|since|memory|cost|defaults"
text = open(sys.argv[1], encoding="utf-8").read()


def documented(match):
    """A comment in front of a declaration: titles at the beginning of a line, or after three blanks."""
    comment = re.sub(r"(?: {3,}|(?<=[.:;]) )(?=(?:%s): )" % TITLES, "\n * ", match.group())
    return re.sub(r"^ \* *(%s): *" % TITLES, r" *\n * @par \1\n * ", comment, flags=re.M)


text = re.sub(r"\A(/\* SPDX.*?\n) \*\n \* ", r"\1 */\n/** @file\n * ", text)
text = re.sub(r"/\*\*(?!<).*?\*/", documented, text, flags=re.S)
text = re.sub(r"(?<=[;,\w])([ \t]+)/\* (?=[^*])", r"\1/**< ", text)
text = re.sub(r"^typedef struct (\w+) \{(.*?)^\} \1;", r"struct \1 {\2};", text, flags=re.M | re.S)
sys.stdout.write(text)
