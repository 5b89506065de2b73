"""Test the bibliography, the check of all data, the page about them, and its marks."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from zpfit.inference.samplers.registry import BUILT_IN
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.entry_base import Citation
from zpfit.likelihood.library import read_entry, read_set
from zpfit.runs.bibliography import (
    FORMULAS,
    as_bibtex,
    as_text,
    bibliography,
    cited_by_curve,
    journal_text,
    merged,
    packaged_references,
)

pytestmark = pytest.mark.usefixtures("quick_fits")

Command = Callable[..., str]

ENTRY = """\
title: mine
type: gaussian
measurement: {measurement}
observable: delta_a_mu
value: 2.5e-9
error: 5.9e-10
confidence_level: 0.683
citations: [{citations}]
approximations: none
"""
CITED = '{key: "Mine:2024abc", arxiv: "2401.00001", journal: "J. Fun & Games 1, 2 (2024)"}'


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def own(name: str, citations: str = CITED, more: str = "") -> None:
    text = ENTRY.format(measurement=name, citations=citations)
    write(f"likelihoods/entries/{name}.yaml", text + more)


def own_set(name: str, *entries: str) -> None:
    head = "title: t\ndescription: d\nexclusions: hard\n"
    write(f"likelihoods/sets/{name}.yaml", f"{head}entries: [{', '.join(entries)}]\n")


def keys(*names: str) -> set[str]:
    return {reference.citation.key for reference in bibliography(names)}


def assert_mentions(message: str, *words: str) -> None:
    for word in words:
        assert word in message, message


# Bibliography


def test_citations_with_the_same_key_become_one():
    used = [
        (Citation(key="a", arxiv="1"), "x"),
        (Citation(key="b", doi="d"), "x"),
        (Citation(key="a", journal="J"), "y"),
        (Citation(key="a", arxiv="1"), "x"),
    ]
    first, second = merged(used)
    assert first.citation == Citation(key="a", arxiv="1", journal="J")
    assert first.used_for == ("x", "y")
    assert second.citation.doi == "d"


def test_an_arxiv_number_alone_joins_the_key_that_has_it():
    nameless = Citation(key="arXiv:1801.04847", arxiv="1801.04847")
    named = Citation(key="Ilten:2018crw", arxiv="1801.04847")
    for used in ([(nameless, "x"), (named, "y")], [(named, "x"), (nameless, "y")]):
        [reference] = merged(used)
        assert reference.citation == named
        assert reference.used_for == ("x", "y")
    # The packaged references contain the key of this number.
    [alone] = merged([(nameless, "x")])
    assert alone.citation == named
    unknown = Citation(key="arXiv:2401.00001", arxiv="2401.00001")
    [alone] = merged([(unknown, "x")])
    assert alone.citation == unknown


ENGINE_KEYS = {"Foreman-Mackey:2012ig", "Lepage:2020tgj", "Speagle:2019ivv"}


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("emcee", {"Foreman-Mackey:2012ig", "Lepage:2020tgj"}),
        ("vegas", {"Lepage:2020tgj"}),
        ("dynesty", {"Speagle:2019ivv"}),
    ],
)
def test_the_engine_of_a_run_is_cited(workspace: Path, engine: str, expected: set[str]):
    own("mine")
    write(
        "fit.yaml",
        f"model: effective\nlikelihood: {{add: [mine]}}\nsampler: {{engine: {engine}}}\n",
    )
    assert keys("fit.yaml") == {FORMULAS.key, "Mine:2024abc"} | expected


def test_a_packaged_run_cites_every_entry_it_uses(workspace: Path):
    found = keys("quickstart")
    library = Library.beside()
    for name in read_set(library, "paper_2021_cs").entries:
        assert {citation.key for citation in read_entry(library, name).entry.citations} <= found
    assert "Ilten:2018crw" in found


def test_a_slice_a_set_and_an_entry_have_no_engine(workspace: Path):
    for name in ("paper_fig2a", "paper_2021_cs", "kloe_2015"):
        found = keys(name)
        assert FORMULAS.key in found
        assert "Anastasi:2015qla" in found
        assert not found & ENGINE_KEYS
    assert keys("paper_fig2a") < keys("paper_2021_cs")


def test_files_of_every_kind(workspace: Path):
    own("mine")
    own_set("both", "mine", "kloe_2015")
    write("map.yaml", "likelihood: both\nx: {parameter: m_Zp, lower: 5, upper: 50}\n"
          "y: {parameter: C_Ae, lower: 1e-5, upper: 1e-3}\n")  # fmt: skip
    for name in ("likelihoods/sets/both.yaml", "map.yaml", "both"):
        assert {"Mine:2024abc", "Anastasi:2015qla"} < keys(name)
    assert keys("likelihoods/entries/mine.yaml") == {FORMULAS.key, "Mine:2024abc"}


def test_what_a_curve_names_is_cited(workspace: Path):
    # The comment of KLOE's curve states the figure from which it was digitised.
    [reference] = [r for r in bibliography(["kloe_2015"]) if r.citation.arxiv == "1603.06086"]
    assert reference.used_for == ("kloe_2015",)
    assert reference.citation.key == "Anastasi:2016ktq"


def test_a_run_folder_cites_its_own_data_and_the_cross_check(small_run: Path, workspace: Path):
    assert keys(str(small_run)) == keys(str(small_run / "config.yaml")) == keys("quickstart")
    summary = json.loads((small_run / "summary.json").read_text(encoding="utf-8"))
    summary["evidence"]["cross_check"] = {"engine": "dynesty"}
    write("run/summary.json", json.dumps(summary))
    write("run/config.yaml", (small_run / "config.yaml").read_text(encoding="utf-8"))
    assert keys("run") - keys("quickstart") == {"Speagle:2019ivv"}


def test_limit_files_cite_darkcast_or_what_they_are_told(workspace: Path):
    write("own.lmt", "# from arXiv:1406.2980\n1e-2 1e-3\n2e-2 1e-3\n")
    write("fit.yaml", "model: effective\nlikelihood: {add: [own.lmt]}\n")
    assert {"Ilten:2018crw", "BaBar:2014zli"} < keys("fit.yaml")
    write("own.lmt", "# from arXiv:1406.0001\n1e-2 1e-3\n2e-2 1e-3\n")
    assert {"Ilten:2018crw", "arXiv:1406.0001"} < keys("fit.yaml")
    cited = f"{{curve: own.lmt, citations: [{CITED}]}}"
    write("fit.yaml", f"model: effective\nlikelihood: {{add: [{cited}]}}\n")
    assert "Mine:2024abc" in keys("fit.yaml")


def test_keys_that_are_not_in_the_references_are_cited_by_the_entry(workspace: Path):
    own("mine", CITED + ", {key: old, arxiv: hep-ex/0612999, doi: 10.1/x_y}")
    references = bibliography(["mine"])
    text = as_text(references)
    assert_mentions(text, "Mine:2024abc: J. Fun & Games 1, 2 (2024), arXiv:2401.00001", "for mine")
    entry = """\
@misc{Mine:2024abc,
  note = {J. Fun \\& Games 1, 2 (2024)},
  eprint = {2401.00001},
  archivePrefix = {arXiv}
}"""
    assert entry in as_bibtex(references)
    assert "@misc{old,\n  eprint = {hep-ex/0612999}," in as_bibtex(references)
    assert "doi = {10.1/x_y}" in as_bibtex(references)


def test_keys_in_the_references_have_title_and_authors(workspace: Path):
    own("mine", '{key: "Hanneke:2008tm", arxiv: "0801.1134"}')
    [_, reference] = bibliography(["mine"])
    title = "New Measurement of the Electron Magnetic Moment and the Fine Structure Constant"
    assert reference.title == title
    assert reference.authors == "D. Hanneke, S. Fogwell, G. Gabrielse"
    assert reference.citation.journal == "Phys. Rev. Lett. 100, 120801 (2008)"
    assert_mentions(as_text([reference]), f"D. Hanneke, S. Fogwell, G. Gabrielse, {title}, Phys.")
    assert_mentions(as_bibtex([reference]), "@article{Hanneke:2008tm,", f"title = {{{title}}}")
    [_, reference] = bibliography(["a_mu_2023_wp2025"])[:2]
    assert reference.authors == "D. P. Aguillard et al."


def packaged_citations() -> list[Citation]:
    library = Library((packaged_data(),))
    entries = [read_entry(library, name) for name in library.names("entry")]
    engines = [Citation(key=key) for engine in BUILT_IN.values() for key in engine.citations]
    cited = [c for e in entries for c in (*e.entry.citations, *cited_by_curve(e))]
    return [FORMULAS, *engines, *cited]


def test_every_key_is_in_the_references_and_agrees_with_them():
    known = packaged_references()
    used = {reference.citation.key for reference in merged((c, "x") for c in packaged_citations())}
    assert used == set(known)
    for citation in packaged_citations():
        if citation.key.startswith("arXiv:"):
            continue
        fields = known[citation.key].fields
        assert citation.arxiv in {None, fields.get("eprint")}
        assert citation.doi in {None, fields.get("doi")}
        if "journal" in fields:
            assert citation.journal in {None, journal_text(fields)}


def test_every_item_of_the_references_is_complete():
    text = (packaged_data() / "likelihoods" / "references.bib").read_text(encoding="utf-8")
    items = packaged_references()
    assert len(items) == text.count("\n@")
    for item in items.values():
        lines = item.text.splitlines()
        assert len(item.fields) == len(lines) - 2, item.key
        assert item.text.count("{") == item.text.count("}")
        assert all(value.count("$") % 2 == 0 for value in item.fields.values())
        assert {"author", "title", "year"} <= set(item.fields)
        assert {"journal", "eprint", "doi"} & set(item.fields)
        assert ("journal" in item.fields) == (item.kind == "article")
        if item.kind == "article":
            assert {"volume", "pages"} <= set(item.fields)


def test_cite(accepted: Command):
    printed = accepted("cite", "quickstart", "paper_fig2a")
    assert printed.count("Parker:2018vye") == 1
    bibtex = accepted("cite", "quickstart", "--bibtex")
    found = re.findall(r"@(?:article|misc)\{(.+),\n", bibtex)
    assert len(found) == len(set(found)) == bibtex.count("\n}")
    accepted("cite", "quickstart", "--bibtex", "--output", "deep/references.bib")
    assert Path("deep/references.bib").read_text(encoding="utf-8") == bibtex


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("quikstart", ["'quikstart'", "did you mean 'quickstart'"]),
        ("none.yaml", ["none.yaml", "cannot be read"]),
        ("folder", ["folder", "no finished run", "config.yaml"]),
        ("broken.yaml", ["broken.yaml", "likelihood"]),
        ("shallow.yaml", ["shallow.yaml", "'nothing'"]),
    ],
)
def test_nothing_to_cite(rejected: Command, workspace: Path, name: str, words: list[str]):
    (workspace / "folder").mkdir()
    write("broken.yaml", "model: effective\n")
    write("shallow.yaml", "title: t\ndescription: d\nexclusions: hard\nentries: [nothing]\n")
    assert_mentions(rejected("cite", "quickstart", name), *words)


# The check

SOME = ("a_e_cs_2018", "a_mu_2021", "kloe_2015", "na64_2018", "na64_2020", "bbn_2020")


@pytest.fixture
def few_data(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a few entries and a set as packaged data, because they are quickly read."""
    source = packaged_data() / "likelihoods" / "entries"
    target = workspace / "packaged" / "likelihoods" / "entries"
    target.mkdir(parents=True)
    for name in SOME:
        for path in source.glob(f"{name}.*"):
            shutil.copy(path, target)
    monkeypatch.setattr("zpfit.io.places.packaged_data", lambda: workspace / "packaged")
    own_set("some", *(name for name in SOME if name != "na64_2018"))


def checked(invoke: Callable[..., Result]) -> tuple[int, str, str]:
    result = invoke("data", "check")
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
def test_packaged_data_are_in_order(invoke: Callable[..., Result]):
    code, table, problems = checked(invoke)
    assert (code, problems) == (0, "")
    library = Library.beside()
    for name in (*library.names("entry"), *library.names("likelihood set")):
        assert name in table


@pytest.mark.usefixtures("few_data")
@pytest.mark.parametrize(
    ("citations", "words"),
    [
        ("{key: a}", ["mine.yaml: citations.0: 'a'", "no arxiv, journal or doi"]),
        ('{key: a, arxiv: "arXiv:2401.1"}', ["'arXiv:2401.1' is no arxiv number"]),
        ('{key: a, doi: "https://doi.org/10.1/x"}', ["is no doi number"]),
        (
            '{key: "Parker:2018vye", arxiv: "2401.00001"}',
            ["'Parker:2018vye' has arxiv '2401.00001', but '1812.04130' in a_e_cs_2018"],
        ),
        ('{key: other, arxiv: "1812.04130"}', ["'other'", "'Parker:2018vye'", "keep one key"]),
        ('{key: other, doi: "10.1126/science.aap7706"}', ["'Parker:2018vye'", "keep one key"]),
    ],
)
def test_citations_that_are_not_in_order(
    invoke: Callable[..., Result], citations: str, words: list[str]
):
    own("mine", citations)
    code, table, problems = checked(invoke)
    assert code == 2
    assert "1 problems" in table
    assert_mentions(problems, *words)


@pytest.mark.usefixtures("few_data")
def test_a_set_that_clashes_is_shown_with_the_reason(accepted: Command):
    own_set("twice", "na64_2018", "na64_2020")
    assert_mentions(accepted("show", "twice"), "Note: cannot be used", "supersedes the other")


@pytest.mark.usefixtures("few_data")
def test_several_publications_may_be_in_preparation(invoke: Callable[..., Result]):
    for name in ("mine", "yours"):
        own(name, f"{{key: {name}, journal: in preparation}}")
    code, _, problems = checked(invoke)
    assert (code, problems) == (0, "")


@pytest.mark.usefixtures("few_data")
def test_everything_that_is_wrong_with_the_data_at_once(invoke: Callable[..., Result]):
    own("broken", more="eror: 3\n")
    own("older", more="supersedes: [nothing, a_mu_2020]\n")
    own("circle", more="supersedes: [round]\n")
    own("round", more="supersedes: [circle]\n")
    curve = (packaged_data() / "likelihoods/entries/kloe_2015.yaml").read_text(encoding="utf-8")
    write("likelihoods/entries/kloe_2015.yaml", curve)
    own_set("clash", "a_mu_2021", "a_mu_2021")
    own_set("unknown", "a_mu_2020")
    code, _, problems = checked(invoke)
    assert code == 2
    assert_mentions(
        problems,
        "broken.yaml:10: eror",
        "older.yaml: supersedes: unknown entry 'nothing'",
        "did you mean 'a_mu_2021'",
        "circle.yaml: supersedes: 'circle' supersedes itself",
        "kloe_2015.csv: cannot be read",
        "clash.yaml: the set lists entry 'a_mu_2021' twice",
        "unknown.yaml: unknown entry 'a_mu_2020'",
    )


# The page


@pytest.mark.usefixtures("few_data")
def test_page(accepted: Command, workspace: Path):
    own("mine", more="unverified: the error\n")
    own_set("ours", "mine", "kloe_2015")
    write("likelihoods/entries/table.csv", "value,chi2\n0,1\n1,0\n2,3\n")
    printed = accepted("data", "page", "--output", "docs")
    page = Path("docs/data.md").read_text(encoding="utf-8")
    library = Library.beside()
    for name in library.names("entry"):
        assert page.count(f"### `{name}`") == 1
        assert page.count(f"| `{name}` |") == 1
    for name in library.names("likelihood set"):
        assert f"**`{name}`**" in page
    assert_mentions(page, "(2.50 ± 0.59)e-09", "**Unverified**: the error", "Sets: `ours`.")
    assert_mentions(page, "[arXiv:2401.00001](https://arxiv.org/abs/2401.00001)")
    images = re.findall(r"!\[.*\]\((.+)\)", page)
    assert images
    for image in images:
        assert (Path("docs") / image).is_file()
        assert image in printed
    written = json.loads(accepted("data", "page", "--output", "docs", "--json"))["written"]
    assert written == printed.removeprefix("Written: ").strip().split(", ")


@pytest.mark.usefixtures("few_data")
def test_no_page_of_broken_data(rejected: Command):
    own("broken", more="eror: 3\n")
    assert_mentions(rejected("data", "page", "--output", "docs"), "broken.yaml:10: eror")
    assert not Path("docs").exists()


# Entries that are not verified

UNVERIFIED = "unverified: the error is from memory\n"


def test_unverified_entries_are_marked(invoke: Callable[..., Result], accepted: Command):
    own("mine", more=UNVERIFIED)
    own_set("ours", "mine", "kloe_2015")
    write("fit.yaml", "model: effective\nlikelihood: ours\n")
    listed = accepted("list", "likelihoods").splitlines()
    [line] = [line for line in listed if line.split()[:1] == ["mine"]]
    assert "[unverified]" in line
    assert sum("[unverified]" in line for line in listed) == sum(
        bool(read_entry(Library.beside(), name).entry.unverified)
        for name in Library.beside().names("entry")
    )
    assert "entry mine is unverified: the error is from memory" in accepted("show", "mine")
    shown = accepted("show", "ours")
    assert "1 of 2 entries hold unverified numbers (zpfit show ours says which)" in shown
    assert "entry mine is unverified: the error is from memory" in shown
    result = invoke("validate", "fit.yaml")
    assert "note: 1 of 2 entries hold unverified numbers" in result.stderr
    assert result.stderr.count("note:") == 1
    assert "unverified" not in invoke("validate", "quickstart").stderr


def test_runs_and_plots_say_what_is_unverified(accepted: Command):
    own("mine", more=UNVERIFIED)
    write(
        "fit.yaml",
        "model: effective\nlikelihood: {add: [mine, kloe_2015]}\n"
        "priors:\n  parameters:\n    {m_Zp: {type: uniform, lower: 1, upper: 3}, C_Ve: 0, C_Ae: 0, "
        "C_nue: 0, C_Amu: 0, C_numu: 0,\n"
        "     C_Vmu: {type: uniform, lower: 1e-6, upper: 1e-3}}\n"
        "sampler: {walkers: 32, max_steps: 40, target_ess: 50}\n"
        "vegas: {max_evaluations: 300000, error: 0.1}\nbest_fit: {starts: 20}\n",
    )
    printed = accepted("run", "fit.yaml", "--output", "out")
    assert_mentions(printed, "1 entry holds unverified numbers; ln B changes by at most", "(mine)")
    assert_mentions(printed, "outside these curves, which exclude nothing: kloe_2015.")
    summary = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    assert summary["unverified"] == {"mine": "the error is from memory"}
    assert set(summary["unverified_influence"]) == {"mine"}
    assert summary["curve_reach"]["kloe_2015"]["posterior_outside"] == 1
    log = Path("out/log.txt").read_text(encoding="utf-8")
    assert "1 of 2 entries hold unverified numbers (zpfit show NAME says which): mine" in log
    plane = ("--x", "m_Zp=5:50", "--y", "C_Vmu=1e-5:1e-3:log", "--set", "likelihood.add=[mine]")
    record = json.loads(accepted("exclusion", *plane, "--json"))
    [note] = record["notes"]
    assert note.startswith("1 of 1 entries hold unverified numbers")
