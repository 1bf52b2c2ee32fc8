"""What the documents say must be so: links, generated parts, verbs, decisions, and no word of any machine."""

from __future__ import annotations

import re

import pytest

from tests.lint.source import MADE, ROOT, texts
from tools.write_docs import DOCUMENTS, PARTS, renewed

PAGES = sorted(each for each in texts() if each.endswith(".md"))
DECISIONS = sorted(path for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)
def test_generated_parts_are_fresh(page):
    """The generated parts of the docs are what the definitions say now; `make docs` writes them anew."""
    assert page.read_text() == renewed(page.read_text())


def test_every_generated_part_is_shown_somewhere():
    """No part is generated for nobody."""
    shown = "".join(path.read_text() for path in DOCUMENTS)
    assert [part for part in PARTS if f"tools/write_docs.py: {part} -->" not in shown] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    """Every relative link leads to a file of the project."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", texts()[page])
    assert [to for to in targets if not ((ROOT / page).parent / to).resolve().exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_named_paths_exist(page):
    """A path of the project in backticks exists, unless running something makes it."""
    named = re.findall(r"`((?:src|tests|docs|tools|scripts|bench|requirements)/[\w./-]*)`", texts()[page])
    written = [path for path in named if not MADE & set(path.split("/"))]
    assert [path for path in written if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_decision_is_complete(decision):
    """A decision has its four parts, names what holds it, and stands in the index under its own title."""
    text = decision.read_text()
    for part in ("**Context.**", "**Decision.**", "**Consequences.**", "**Alternatives.**", "**Held by**"):
        assert part in text, f"{decision.name} lacks {part}"
    number, title = text.splitlines()[0].removeprefix("# ").split(" ", 1)
    assert decision.name.startswith(f"{number}-")
    index = (decision.parent / "README.md").read_text()
    assert f"| [{number}]({decision.name}) | {title} |" in index


def test_decisions_are_numbered_without_a_gap():
    """The decisions are numbered from 1, and the index names no other."""
    numbers = [int(path.name[:4]) for path in DECISIONS]
    listed = re.findall(r"\| \[(\d{4})\]", (ROOT / "docs" / "adr" / "README.md").read_text())
    assert numbers == list(range(1, len(DECISIONS) + 1))
    assert [int(each) for each in listed] == numbers


def test_readme_knows_every_verb():
    """Every verb of the Makefile is in the README, there are at most a dozen, and no other is named."""
    verbs = set(re.findall(r"^([a-z-]+):.*## ", texts()["Makefile"], re.MULTILINE))
    readme = texts()["README.md"]
    assert len(verbs) <= 12
    assert {verb for verb in verbs - {"help"} if f"`make {verb}`" not in readme} == set()
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z-]+)`", texts()[page])) <= verbs, page


#: Built from parts, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"/(?:home|root|Users|work|opt)" + r"/[a-z]"),
    "the host of a package registry": re.compile(
        "|".join(
            re.escape(".".join(host))
            for host in (("pypi", "org"), ("registry", "npmjs"), ("pythonhosted", "org"))
        )
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_of_a_machine_is_in_the_project(what):
    """No file holds an absolute path of a machine or the host of a package registry."""
    found = [
        f"{file}:{number}"
        for file, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []
