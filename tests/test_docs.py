"""README and docs say what works: every block is executed, every command in the text exists.

The fast tests write the files that a page shows, run the commands that take no time, and read
what the others would fit; the slow ones run every command of every page in its order, in one
folder, with the reductions listed here.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import click
import nbformat
import pytest
from click.testing import CliRunner
from documented import PAGES, ROOT, Block, arguments_of, blocks_of, prose_of
from nbclient import NotebookClient
from printed import WIDTH, Shown, problems_of, renew, shown_on

import zpfit as api
from zpfit.cli import cli
from zpfit.cli.options import Changes, parse_limits
from zpfit.io.library import Library
from zpfit.likelihood.entries import MEASUREMENTS
from zpfit.likelihood.library import read_entry, read_set
from zpfit.runs.run_file import find_run_file, load_run

CHECKOUT = ("campaigns", "examples", "likelihoods", "models", "priors", "runs", "slices")
"""Folders that a reader of the pages has."""

FILES = {
    "my_limit.lmt": "1e-2 9e-4\n4e-2 8e-4\n",
    "my_dump.lmt": "1e-2 1e-5 1e-4\n2e-2 1e-5 5e-5\n",
    "missing_energy.lmt": "1e-2 1e-4\n4e-2 4e-4\n",
    "babar_visible.lmt": "2.1e-2 9e-4\n4e-2 8e-4\n",
    "e141.lmt": "1e-2 1e-5 1e-4\n1.5e-2 1e-5 5e-5\n",
}
"""Files that a reader of the pages has of his own."""

QUICK = {"list", "show", "validate", "data check", "cite", "evaluate", "atlas show"}
"""Commands that the fast tests run unchanged, unless they need an earlier run."""

FITTED = {"run", "compare", "tension", "profile", "limit", "toys", "coverage", "certify"}
"""Commands whose arguments are run files, which the fast tests read."""

ELSEWHERE = {
    "paper": "tests/studies/test_paper_command.py",
    "vectors": "tests/studies/test_light_vectors.py",
    "x17": "tests/studies/test_x17_study.py",
    "atlas survey": "tests/studies/test_atlas_survey.py",
    "explore": "tests/pages/test_explore.py",
    "python": "tests/analysis/test_certificate_script.py",  # the script that checks proofs
    "cobaya-run": "tests/interfaces/test_cobaya.py",  # run as python -m cobaya
}
"""Commands with tests of their own that take minutes, serve until they are stopped, or are other
programs."""

_SMALL = [
    *("--set", "sampler.walkers=32"),
    *("--set", "sampler.max_steps=40"),
    *("--set", "sampler.target_ess=10"),
    *("--set", "best_fit.starts=50"),
    *("--set", "dynesty.live_points=50"),
]
FEWER = {
    "run": _SMALL,
    "tension": _SMALL,
    "profile": [*_SMALL, "--points", "10"],
    "limit": _SMALL,
    "toys": [*_SMALL, "--n", "5", "--no-joint-sigma"],
    "coverage": [*_SMALL, "--n", "2", "--no-credible"],
}
"""Options with which the slow tests take minutes instead of an hour, appended to those of the
page."""

SMALLER = {
    "seeds: {first: 1, count: 3}": "seeds: {first: 1, count: 1}",
    "vegas.error: 0.002, best_fit.starts: 20000": "vegas.error: 0.02, best_fit.starts: 200",
    "m_Zp=2:900:60": "m_Zp=2:900:4",
    "m_Zp=2:900:24": "m_Zp=2:900:3",
    "compare sm_u1_cs nhdm_u1_cs froggatt_nielsen_cs quickstart": "compare sm_u1_cs quickstart",
}
"""Replacements to the same end in files and commands of a page."""

Invoke = Callable[..., str]
_CONTEXT = click.Context(cli)
COMMANDS = {name: cli.get_command(_CONTEXT, name) for name in cli.list_commands(_CONTEXT)}
"""Every command by name; a look-up imports it."""


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


WITH_BLOCKS = [page for page in PAGES if blocks_of(page)]
every_page = pytest.mark.parametrize("page", WITH_BLOCKS, ids=page_name)


@pytest.fixture
def checkout(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a folder like the one in which a reader types."""
    for name in CHECKOUT:
        shutil.copytree(ROOT / name, workspace / name)
    for name, text in FILES.items():
        (workspace / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(workspace))
    return workspace


def zpfit(arguments: list[str], place: str, columns: int = 200) -> str:
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(cli, arguments)
    assert result.exit_code == 0, f"{place}: zpfit {' '.join(arguments)}\n{result.output}"
    return result.stdout


def parse(arguments: list[str]) -> tuple[str, click.Context]:
    """The command that arguments name, such as ``data check``, with its options.

    Raises
    ------
    click.UsageError: there is no such command or option.
    """
    context = cli.make_context("zpfit", list(arguments))
    command: click.Command = cli
    # Options of zpfit itself may stand before the command.
    first = next((i for i, word in enumerate(arguments) if word in COMMANDS), 0)
    names, rest = [], arguments[first:]
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(context, rest)
        names.append(name)
    return " ".join(names), command.make_context(names[-1], list(rest), parent=context)


def check_target(command: str, place: str) -> None:
    if Path(command.split(maxsplit=1)[0]).name in ELSEWHERE:
        return
    if command == "source .venv/bin/activate":
        return
    assert command.split(maxsplit=1)[0] == "make", f"{place}: no test for {command!r}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in command.split()[1:]:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{place}: no target {target}"


def smaller(text: str) -> str:
    for long, short in SMALLER.items():
        text = text.replace(long, short)
    return text


def write_file(block: Block) -> None:
    path = Path(block.file_name or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(smaller(block.text), encoding="utf-8")


def check_script(block: Block) -> None:
    """Parse a job script, and its calls of zpfit: to run it would need a cluster."""
    syntax = subprocess.run(
        ["bash", "-n"], input=block.text, text=True, capture_output=True, check=False
    )
    assert syntax.returncode == 0, f"{block.place}: {syntax.stderr}"
    calls = re.findall(r"^(?:srun .*-m )?(zpfit [^&\n]*)", block.text, re.MULTILINE)
    assert calls, f"{block.place}: a script without zpfit"
    for call in calls:
        parse(arguments_of(call) or [])


def code_of(block: Block) -> ast.Module:
    return ast.parse(block.text, filename=block.place)


def execute(block: Block) -> None:
    exec(compile(code_of(block), block.place, "exec"), {"__name__": "__main__"})  # noqa: S102


def needs_a_run(text: str) -> bool:
    """Return whether a command reads earlier output."""
    return "output/" in re.sub(r"--output \S+", "", text)


def read_without_fitting(arguments: list[str], place: str) -> None:
    """Parse a command, and read the files that it would fit."""
    name, context = parse(arguments)
    given = context.params
    if name in FITTED:
        files = given.get("files_or_runs") or [given["file"]]
        changes: dict[str, Any] = dict(word.split("=", 1) for word in given.get("changes", ()))
        changes |= Changes((), given.get("added", ()), given.get("dropped", ())).entries
        for file in files:
            if not file.startswith("output/"):
                load_run(find_run_file(file), changes, parse_limits(given.get("limits", ())))
    elif name == "campaign":
        zpfit([*arguments, "--plan"], place)


def try_command(command: str, place: str) -> None:
    arguments = arguments_of(command)
    if arguments is None:
        check_target(command, place)
    elif parse(arguments)[0] in QUICK and not needs_a_run(command):
        zpfit(arguments, place)
    else:
        read_without_fitting(arguments, place)


def run_command(command: str, place: str) -> None:
    arguments = arguments_of(smaller(command))
    if arguments is None:
        check_target(command, place)
        return
    name, _ = parse(arguments)
    if name in ELSEWHERE:
        return
    zpfit([*arguments, *FEWER.get(name, [])], place)


def try_code(block: Block) -> None:
    """Run self-contained code; only compile code that needs or makes a run."""
    if "output/" in block.text or "import bilby" in block.text:
        code_of(block)
    else:
        execute(block)


def run_code(block: Block) -> None:
    """Run all but a whole fit with bilby, whose likelihood tests/interfaces/test_bilby.py calls."""
    if "import bilby" in block.text:
        code_of(block)
    else:
        execute(block)


def go_through(
    page: Path,
    command: Callable[[str, str], None],
    code: Callable[[Block], None],
) -> Iterator[Block]:
    """Check every block of a page; yield those that were checked."""
    for block in blocks_of(page):
        if block.language == "bash":
            check_script(block)
        elif block.language == "console":
            for line in block.commands:
                command(line, block.place)
        elif block.file_name is not None:
            write_file(block)
        elif block.language == "python":
            code(block)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language not in {"", "text"}:
            continue
        yield block


_MUON_ALONE = dict.fromkeys(("C_nue", "C_Amu", "C_numu"), 0)
"""Parameters of the quickstart that the fits of pages do without."""


@pytest.fixture
def small_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the function ``fit`` take a second, by options that replace those of the page.

    Calls that differ only in the values of their options share a fit; all are read.
    """
    whole, found = api.fit, {}

    def fit(source: object, *, sampler: object = None, **changes: Any) -> api.Result:
        given = {"engine": sampler} if isinstance(sampler, str) else sampler or {}
        few = {"walkers": 32, "max_steps": 40, "target_ess": 10}
        small = {"sampler": {**given, **few}, "best_fit": {"starts": 50}}
        problem = api.load(source, **changes | small)
        if source == "quickstart":
            problem = api.load(problem, priors={"parameters": _MUON_ALONE})
        call = repr((source, sampler, sorted(changes)))
        if call not in found:
            found[call] = whole(problem)
        return found[call]

    monkeypatch.setattr(api, "fit", fit)


@every_page
@pytest.mark.usefixtures("small_fits", "quick_fits")
def test_a_page_is_true(page: Path, checkout: Path) -> None:
    dealt_with = list(go_through(page, try_command, try_code))
    assert dealt_with == blocks_of(page), "a block is not executed"


@pytest.mark.slow
@every_page
def test_a_page_can_be_typed(page: Path, checkout: Path) -> None:
    dealt_with = list(go_through(page, run_command, run_code))
    assert dealt_with == blocks_of(page), "a block is not executed"


WITH_OUTPUT = [page for page in PAGES if shown_on(page)]


@pytest.mark.parametrize("page", WITH_OUTPUT, ids=page_name)
def test_cheap_commands_print_what_a_page_shows(page: Path, workspace: Path) -> None:
    problems = []
    for shown in shown_on(page):
        arguments = arguments_of(shown.command) or []
        if parse(arguments)[0] in QUICK and not needs_a_run(shown.command):
            printed = zpfit(arguments, shown.block.place, WIDTH)
            problems += problems_of(shown, printed)
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_OUTPUT, ids=page_name)
def test_commands_print_what_a_page_shows(page: Path, checkout: Path) -> None:
    """Run the commands as they are; ``python tests/printed.py PAGE`` renews the numbers."""
    shown = {item.command: item for item in shown_on(page)}
    consoles = [block for block in blocks_of(page) if block.language == "console"]
    problems = []
    for command, place in ((c, b.place) for b in consoles for c in b.commands):
        arguments = arguments_of(command)
        if arguments is not None and parse(arguments)[0] not in ELSEWHERE:
            printed = zpfit(arguments, place, WIDTH)
            problems += problems_of(shown[command], printed) if command in shown else []
    assert not problems, "\n".join(problems)


def test_numbers_that_differ_are_found() -> None:
    block = Block("page.md", 3, "text", "Best fit chi2 1.6279; without 17.1.\n x  2.5 ...\n")
    shown = Shown("zpfit run mine", block)
    assert not problems_of(shown, "Best fit chi2 1.6281; without 17.1.\n x   2.49  7\n")
    [found] = problems_of(shown, "Best fit chi2 1.7801; without 17.1.\n x   2.49  7\n")
    assert "1.6279" in found
    assert "is now Best fit chi2 1.7801" in found
    [found] = problems_of(shown, "Best fit chi2 1.6279; without 17.1.\n")
    assert "no longer printed: x" in found


def test_numbers_of_an_indented_table_are_renewed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("documented.ROOT", tmp_path)
    page = tmp_path / "page.md"
    blocks = ("console", "zpfit list"), ("text", "  a   1.5\n  b   2")
    text = "\n\n".join(f"```{language}\n{inside}\n```" for language, inside in blocks)
    text += "\n\nEnd 1.5\n"
    page.write_text(text, encoding="utf-8")
    assert renew(page, lambda _: "table\n  a   1.9 \n  b   2\n") == []
    assert page.read_text(encoding="utf-8") == text.replace("  a   1.5", "  a   1.9")


@every_page
def test_yaml_says_which_file_it_is(page: Path) -> None:
    nameless = [b.place for b in blocks_of(page) if b.language == "yaml" and b.file_name is None]
    assert not nameless, "begin the block with a line such as '# runs/mine.yaml'"


@every_page
def test_files_of_a_page_are_used_on_it(page: Path) -> None:
    blocks = blocks_of(page)
    for index, block in enumerate(blocks):
        if block.file_name is None or block.language == "bash":
            continue
        later = "\n".join(other.text for other in blocks[index + 1 :])
        assert Path(block.file_name).stem in later, f"{block.place}: nothing uses it"


@every_page
def test_commands_are_in_consoles(page: Path) -> None:
    """Commands elsewhere would not be executed."""
    for block in blocks_of(page):
        if block.language in {"", "text"}:
            commands = rf"(\.venv/bin/)?zpfit ({'|'.join(COMMANDS)})\b"
            assert not re.search(rf"^(\$ |make |pip |{commands})", block.text, re.MULTILINE), (
                block.place
            )


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_in_the_text_exist(page: Path) -> None:
    for name, rest in re.findall(r"`zpfit ([a-z0-9]+)([^`]*)`", prose_of(page)):
        assert name in COMMANDS, f"zpfit {name}"
        known = {word for parameter in COMMANDS[name].params for word in parameter.opts}
        unknown = set(re.findall(r"--[a-z-]+", rest)) - known
        assert not unknown, f"zpfit {name}{rest}"
    for target in re.findall(r"`make ([a-z0-9-]+)`", prose_of(page)):
        check_target(f"make {target}", page.name)


_EXPANDED = re.compile(r"[\[\]{}*?()]")
"""Characters that zsh expands or refuses outside quotes."""


def unquoted(command: str) -> str:
    """Return a command without what stands in quotes or behind a backslash, and its comment."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\\.|\s#.*$", "", command)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_a_shell_expands_no_example(page: Path) -> None:
    """zsh refuses ``likelihood.drop=[a_mu_2021]`` without quotes, as no file matches it."""
    commands = [line for b in blocks_of(page) if b.language == "console" for line in b.commands]
    commands += re.findall(r"`(--(?:set|at|fix|x|y|limit) [^`]*)`", prose_of(page))
    assert not [c for c in commands if _EXPANDED.search(unquoted(c)) and "eval" not in c]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_shell_expands_no_example_of_the_help(name: str) -> None:
    text = CliRunner(env={"COLUMNS": "200"}).invoke(cli, [name, "--help"]).output
    examples = re.findall(r"^ +((?:zpfit|mpiexec) .*)$", text, re.MULTILINE)
    assert not [line for line in examples if _EXPANDED.search(unquoted(line))]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_brackets_are_not_swallowed_as_tags(page: Path) -> None:
    text = re.sub(r"`[^`]*`", "", prose_of(page))
    assert not re.findall(r"<(?!img )[a-zA-Z][^>]*>", text)


def test_every_command_is_documented() -> None:
    shown = "\n".join(line for page in PAGES for b in blocks_of(page) for line in b.commands)
    hidden = {name for name in COMMANDS if f"zpfit {name}" not in shown}
    assert hidden <= {"epochs"}, "show it on a page; make epochs stands for zpfit epochs"


def test_commands_of_other_tests_are_there() -> None:
    for name, file in ELSEWHERE.items():
        program = name.removesuffix("-run")
        assert f'"{program}"' in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_notebook_runs(workspace: Path) -> None:
    notebook = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "store it without outputs"
    NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(workspace)}}
    ).execute()
    drawn = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert len(drawn) >= 2


# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of MkDocs is a failure."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.slow
def test_the_site_asks_no_other_server(site: Path) -> None:
    fetched = re.compile(
        r"<(?:script|img|iframe|source|video)[^>]+src=[\"']?(?:https?:)?//"
        r"|<link(?![^>]+rel=[\"']?canonical)[^>]+href=[\"']?(?:https?:)?//"
    )
    for path in site.rglob("*.html"):
        assert not fetched.search(path.read_text(encoding="utf-8")), path.name
    for path in site.rglob("*.css"):
        styles = path.read_text(encoding="utf-8")
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", styles), path.name


@pytest.mark.slow
def test_the_site_can_be_searched(site: Path) -> None:
    """The index holds every page, and a browser finds words in it without another server."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    pages = {str(page.relative_to(site)) for page in site.rglob("*.html")} - {"404.html"}
    assert found == pages
    results = searched(site, "suspiciousness")
    assert any("Statistics" in words for words in results)


def searched(site: Path, word: str) -> list[str]:
    """Return what a browser without a network shows for a word in the search field."""
    chromium = shutil.which("chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium is None:
        pytest.skip("there is no chromium")
    handler = partial(SimpleHTTPRequestHandler, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, api.sync_playwright() as play:
        Thread(target=server.serve_forever, daemon=True).start()
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        own = f"http://127.0.0.1:{server.server_port}/"
        page.goto(own + "index.html")
        page.fill("input[name=query]", word)
        page.wait_for_selector(".md-search-result__item", state="attached")
        results: list[str] = page.locator(".md-search-result__item").all_inner_texts()
        browser.close()
        server.shutdown()
    assert not [url for url in asked if not url.startswith((own, "data:", "blob:"))]
    return results


@pytest.mark.slow
def test_formulas_are_drawn_without_a_script(site: Path) -> None:
    physics = (site / "physics.html").read_text(encoding="utf-8")
    assert physics.count("<math") > 10
    for path in site.rglob("*.html"):
        assert "arithmatex" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.slow
def test_the_reference_holds_the_docstrings(site: Path) -> None:
    page = (site / "reference" / "physics.html").read_text(encoding="utf-8")
    assert "shift of the muon&#39;s (g-2)/2" in page or "shift of the muon's (g-2)/2" in page
    assert ":func:" not in page


def test_the_page_on_limits_has_the_level_of_each_exclusion() -> None:
    library = Library.beside()
    entries = {
        name: read_entry(library, name).entry for name in read_set(library, "today_cs").entries
    }
    text = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (none stated|[\d.]+ %) \| (.*) \|$", text, re.MULTILINE)
    shown = {name: level for level, names in rows for name in re.findall(r"`(\w+)`", names)}
    levels = {
        name: "none stated" if e.confidence_level is None else f"{100 * e.confidence_level:g} %"
        for name, e in entries.items()
        if not isinstance(e, MEASUREMENTS)
    }
    assert shown == levels


def joint_sigmas(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table behind a heading, without names and proved bounds."""
    lines = text.split(heading, 1)[1].split("\n## ", maxsplit=1)[0].splitlines()
    table = [line.strip("|").split("|")[1:] for line in lines if line.startswith("|")]
    rows = [[cell.split("(")[0].strip() for cell in row] for row in table[2:]]
    return [row for row in rows if len(row) == len(rows[0])]


def test_the_readme_has_the_joint_sigmas_of_the_page() -> None:
    readme = joint_sigmas((ROOT / "README.md").read_text(encoding="utf-8"), "## What the fits say")
    text = (ROOT / "docs/what-changed.md").read_text(encoding="utf-8")
    page = joint_sigmas(text, "## Tension: joint sigma")
    assert len(readme) == 8
    # The page also has the muon's prediction of 2020 and projections.
    assert readme == [row for number, row in enumerate(page[:9]) if number != 2]
