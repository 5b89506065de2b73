"""Test the report on runs, comparisons and campaigns: contents, escaping, bad input, a browser."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from command import FEW_DATA, invoke
from helpers_samplers import first_fast

from zpfit.io.yaml import dump_yaml
from zpfit.pages.report.slices import slices_of
from zpfit.runs.run_file import load_run

pytestmark = pytest.mark.usefixtures("quick_fits")

EVIL = "<script>alert('x')</script> & $<b>\"'"
TINY = {
    "sampler.engine": "dynesty",
    "sampler.target_ess": 100,
    "dynesty.live_points": 50,
    "dynesty.tolerance": 1,
    "best_fit.starts": 20,
}


class Page(HTMLParser):
    """The elements of a page: tables, figures, loaded resources."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.tables, self.figures = [], [], {}
        self.words = []
        self._cell = self._figure = None
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = [attrs.get("data-key"), ""]
        elif tag in ("script", "style"):
            self._script = True
            if "data-for" in attrs:
                self._figure = attrs["data-for"]

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append(tuple(self._cell))
            self._cell = None
        elif tag in ("script", "style"):
            self._script, self._figure = False, None

    def handle_data(self, data):
        if self._figure:
            self.figures[self._figure] = json.loads(data)
        elif not self._script:
            self.words.append(data)
            if self._cell:
                self._cell[1] += data

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def read(path):
    return Page(Path(path).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def run_page(small_run, tmp_path_factory):
    target = tmp_path_factory.mktemp("page") / "run.html"
    result = invoke("report", small_run, "--output", target)
    assert result.exit_code == 0, result.output
    return target


@pytest.fixture(scope="session")
def grid(tmp_path_factory):
    """Folder of a small campaign with HTML in its title."""
    folder = tmp_path_factory.mktemp("grid")
    priors = {"parameters": {"m_Zp": 20.0}}
    run = {"model": "L_mu-L_tau", "likelihood": FEW_DATA, "priors": priors}
    content = {"title": EVIL, "runs": {"tiny": run}, "settings": TINY, "seeds": [1, 2]}
    (folder / "grid.yaml").write_text(dump_yaml(content))
    output = folder / "fits"
    result = invoke("campaign", folder / "grid.yaml", "--executor", "here", "--output", output)
    assert result.exit_code == 0, result.output
    return output


@pytest.fixture(scope="session")
def comparison(small_run, tmp_path_factory):
    """Folder of a comparison in the format of ``zpfit compare``, with a run inside."""
    folder = tmp_path_factory.mktemp("compared") / "classes"
    shutil.copytree(small_run, folder / "runs" / "one")
    summary = json.loads((small_run / "summary.json").read_text())
    chi2, without = summary["best_fit"]["chi2"], summary["no_zprime"]["chi2"]

    def row(name, model, chi2, log_z, error):
        varied = {"lnZ": log_z - 0.2, "lnZ_err": error, "method": "reweighted"}
        return {
            "run": name, "model": model, "title": name, "likelihood": summary["likelihood"],
            "data": 1, "parameters": 0 if model == "no Z'" else 5, "best_fit_chi2": chi2,
            "delta_chi2": chi2 - without, "aic": chi2, "bic": None, "lnZ": log_z,
            "lnZ_err": error, "reference": "no Z'", "ln_bayes_factor": log_z + without / 2,
            "ln_bayes_factor_err": error, "evidence": "weak for", "information": 1.5,
            "dimensionality": 2.0, "joint_sigma": None, "joint_sigma_at": None,
            "probability_both_within_1_sigma": None, "probability_both_within_1_sigma_err": None,
            "ln_possible": 0.0, "bayes_factor": 1.0, "ranks": {},
            "chi2_by_term": {n: t["chi2"] for n, t in summary["no_zprime"]["terms"].items()},
            "prior_sensitivity": {"wider": varied, "narrower": varied}, "rank_changes": False,
            "joint_sigma_proved": 2.41577 if model != "no Z'" else None,
            "shortcomings": [], "converged": True,
        }  # fmt: skip

    rows = [
        row("no Z'", "no Z'", without, -without / 2, 0.0),
        row("one", summary["model"], chi2, -without / 2 + 1.5, 0.03),
    ]
    (folder / "compare.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture
def copied(small_run, workspace):
    """Copy of the small run that a test may change."""
    shutil.copytree(small_run, workspace / "mine")
    return workspace / "mine"


def rewrite(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


# Contents


def test_no_tags_are_shown_as_text(run_page):
    assert not re.search(r"&lt;/?(su[bp]|em|code)", run_page.read_text())


def test_numbers_are_those_of_the_summary(run_page, small_run):
    summary = json.loads((small_run / "summary.json").read_text())
    parameters, measurements, exclusions, *_ = read(run_page).tables
    for name, row in zip(summary["posterior"], parameters[1:], strict=True):
        marginal = summary["posterior"][name]
        assert row[0][0] == name
        assert float(row[1][0]) == summary["best_fit"]["parameters"][name]
        limit = marginal.get("size_limit")
        assert float(row[2][0]) == (marginal["median"] if limit is None else limit["posterior"])
        diagnostics = [marginal[key] for key in ("information_gain", "ess", "rhat")]
        assert [float(key) for key, _ in row[3:6]] == diagnostics
    for (name, term), row in zip(
        summary["best_fit"]["terms"].items(), measurements[1:], strict=True
    ):
        assert row[0][0] == name
        assert float(row[4][0]) == term["pull"]
        assert float(row[5][0]) == term["chi2"]
        assert float(row[5][1]) == pytest.approx(term["chi2"], abs=6e-4)
    silent = {n for n, r in summary["curve_reach"].items() if r["best_fit_outside"]}
    assert {row[0][0] for row in exclusions[1:] if row[1][1] == "silent"} == silent
    ratios = {row[0][0]: float(row[1][0]) for row in exclusions[1:] if row[1][1] != "silent"}
    exclusions_found = summary["best_fit"]["exclusions"].items()
    assert ratios == {n: e["ratio"] for n, e in exclusions_found if n not in silent}


def test_answer_in_two_sentences_with_numbers(run_page, small_run):
    summary = json.loads((small_run / "summary.json").read_text())
    text = read(run_page).text
    log_b = summary["evidence"]["log_z"] + summary["no_zprime"]["chi2"] / 2
    assert "Can a Z\u2032 of the model effective explain the data paper_2021_cs?" in text
    assert f"where no Z\u2032 has {summary['no_zprime']['chi2']:.3g}" in text
    printed = re.search(r"ln B = \+(\d+\.(\d+))", text)
    assert printed is not None
    assert float(printed[1]) == pytest.approx(log_b, abs=0.51 * 10 ** -len(printed[2]))
    assert "did not converge" in text
    for shortcoming in summary["shortcomings"]:
        assert shortcoming in text


def test_data_citations_command_and_versions(run_page, small_run):
    page, summary = read(run_page), json.loads((small_run / "summary.json").read_text())
    run = load_run(small_run / "config.yaml")
    for entry in run.assembled.entries:
        assert entry.name in page.text
        for citation in entry.entry.citations:
            assert citation.key in page.text
    assert f"zpfit run {small_run}/config.yaml --output" in page.text
    for package, version in summary["versions"].items():
        assert f"{package} {version}" in page.text


def test_slices_say_what_the_likelihood_says(small_run):
    run = load_run(small_run / "config.yaml")
    best = json.loads((small_run / "summary.json").read_text())["best_fit"]
    planes = slices_of(run, best)
    assert planes
    assert {plane.x for plane in planes} == {"m_Zp"}
    posterior, rng = run.posterior, np.random.default_rng(1)
    for plane in planes:
        for _ in range(10):
            i, j = (int(rng.integers(n)) for n in plane.chi2.shape)
            point = best["parameters"] | {
                plane.x: plane.x_values[j],
                plane.y: plane.y_values[i],
            }
            columns = {name: np.array([number]) for name, number in point.items()}
            columns = posterior.priors.complete(columns, 1)  # tied parameters follow
            c = posterior.model.couplings(columns)
            [excluded_by] = posterior.likelihood.excluded_by(c)
            who = int(plane.strongest[i, j])
            assert (who >= 0) == bool(excluded_by)
            if who >= 0:
                ratios = {n: float(r[0]) for n, r in posterior.likelihood.ratios(c).items()}
                assert plane.names[who] == max(excluded_by, key=ratios.__getitem__)
                assert plane.ratios[who, i, j] == pytest.approx(max(ratios.values()))
            assert plane.chi2[i, j] == pytest.approx(posterior.likelihood.chi2(c)[0], rel=1e-6)
        # One node coincides with the best fit.
        at_x = list(plane.x_values).index(best["parameters"][plane.x])
        at_y = list(plane.y_values).index(best["parameters"][plane.y])
        assert plane.strongest[at_y, at_x] == -1
        assert plane.chi2[at_y, at_x] == pytest.approx(best["chi2"], abs=1e-9)


def test_hover_text_names_the_strongest_exclusion(run_page):
    figures = read(run_page).figures
    words = [
        word
        for name, figure in figures.items()
        if "slice" in name
        for trace in figure["data"]
        if trace["type"] == "heatmap"
        for line in trace["text"]
        for word in line
        if word
    ]
    assert any(re.match(r"excluded by .+: [\d.e]+ times the limit", word) for word in words)
    assert any(word.startswith("allowed: \u03c7\u00b2 = ") for word in words)


def test_several_runs_have_an_overview(accepted, small_run, grid):
    fits = sorted((grid / "runs").iterdir())
    assert accepted("report", small_run, *fits) == "Written: report.html\n"
    page = read("report.html")
    assert "How do 3 fits compare?" in page.text
    assert [row[0][1] for row in page.tables[0][1:]] == ["quickstart", *(f.name for f in fits)]
    assert len(page.named("h1")) == 1


def test_campaign(accepted, grid):
    accepted("report", grid, "--output", "grid.html")
    page, record = read("grid.html"), json.loads((grid / "campaign.json").read_text())
    assert "Of 2 fits of 1 combination 2 are finished, 0 failed" in page.text
    assert "lowest evidence" not in page.text
    cells, fits = page.tables[:2]
    assert [cells[0][i][1] for i in (0, -1)] == ["combination", "name"]
    assert float(cells[1][3][0]) == record["cells"][0]["log_bayes_factor"]
    assert [float(row[3][0]) for row in fits[1:]] == [fit["log_z"] for fit in record["fits"]]
    assert "Bodas:2021fsy" in page.text


def test_comparison(accepted, comparison):
    accepted("report", comparison, "--output", "classes.html")
    page = read("classes.html")
    assert "Do the data paper_2021_cs favour one?" in page.text
    assert "The data prefer one to no Z\u2032 by ln B = +1.500 \u00b1 0.030" in page.text
    assert "runs/one/config.yaml" in page.text
    assert "Parker:2018vye" in page.text
    assert "2.4157" in page.text


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (-6.0, -2.7, "prefer no Z\u2032; the best class, two, is disfavoured by ln B = \u22122.70"),
        (-6.0, -0.4, "do not decide: the best class, two, has ln B = \u22120.400 \u00b1 0.030"),
        (3.5, 0.1, "prefer the best class, one, to no Z\u2032 by ln B = +3.500 \u00b1 0.030"),
    ],
)
def test_a_comparison_names_its_winner(
    accepted, comparison, workspace, first, second, words
) -> None:
    rows = json.loads((comparison / "compare.json").read_text())
    rows.append(rows[1] | {"run": "two"})
    for row, log_b in zip(rows[1:], (first, second), strict=True):
        row |= {"lnZ": rows[0]["lnZ"] + log_b, "ln_bayes_factor": log_b}
    (workspace / "classes").mkdir()
    (workspace / "classes" / "compare.json").write_text(json.dumps(rows))
    accepted("report", "classes")
    assert f"The data {words}" in read("classes.html").text


def test_a_comparison_finds_runs_that_lie_elsewhere(accepted, comparison, copied, workspace):
    shutil.copytree(comparison, workspace / "classes")
    shutil.rmtree(workspace / "classes" / "runs")
    rows = json.loads((workspace / "classes" / "compare.json").read_text())
    rows[1] |= {"run": "mine", "folder": "../mine"}
    (workspace / "classes" / "compare.json").write_text(json.dumps(rows))
    accepted("report", "classes")
    page = read("classes.html")
    assert "zpfit compare mine --output classes-again" in page.text
    assert "Parker:2018vye" in page.text
    assert "numpy" in page.text
    refit = json.loads((copied / "summary.json").read_text())["best_fit"] | {"chi2": 7.0}
    rewrite(copied / "summary.json", best_fit=refit)
    accepted("report", "classes", "--force")
    page = read("classes.html")
    assert "mine have moved or changed" in page.text
    assert "Parker:2018vye" not in page.text


def test_silent_exclusions_are_not_survived(accepted, copied):
    reach = {"mass_range_MeV": [900, 1000], "posterior_outside": 1.0, "best_fit_outside": True}
    rewrite(copied / "summary.json", curve_reach={"kloe_2015": reach})
    accepted("report", "mine")
    page = read("mine.html")
    assert re.search(r"survives (\d) of (\d) exclusions; KLOE \(2015\) sets no limit", page.text)
    assert [row[1][1] for row in page.tables[2] if row[0][0] == "kloe_2015"] == ["silent"]


@pytest.mark.slow
def test_page_lies_beside_its_folder(accepted, copied):
    assert accepted("report", "mine") == f"Written: {copied.parent / 'mine.html'}\n"
    assert not (copied / "mine.html").exists()
    answer = json.loads(accepted("report", "mine", "--force", "--json"))
    assert answer == {"page": str(copied.parent / "mine.html")}


# Security and accessibility


def test_loads_nothing(run_page):
    page = read(run_page)
    sources = [a for tag, a in page.tags if tag != "a" and {"src", "href", "data"} & set(a)]
    assert not sources
    [policy] = [a["content"] for a in page.named("meta") if "http-equiv" in a]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src" not in policy
    css = re.search(r"<style>(.*?)</style>", run_page.read_text(), re.DOTALL)[1]
    assert "url(" not in css
    assert "@import" not in css


def test_names_are_escaped(accepted, copied, grid):
    rewrite(copied / "summary.json", title=EVIL, likelihood=EVIL, shortcomings=[EVIL])
    evil = copied.with_name("<img src=x onerror=alert(1)>")
    copied.rename(evil)
    accepted("report", evil, grid, "--output", "evil.html")
    page = read("evil.html")
    assert len([a for a in page.named("script") if "data-for" not in a]) == 2
    assert not page.named("img")
    assert page.text.count(EVIL) >= 4
    for figure in page.figures.values():
        assert "<script" not in json.dumps(figure)
    assert "<script>alert" not in Path("evil.html").read_text()


def test_accessible(run_page):
    page = read(run_page)
    assert len(page.named("h1")) == 1
    assert page.named("html") == [{"lang": "en"}]
    for table in page.tables:
        assert len({len(row) for row in table}) == 1
    assert len(page.named("caption")) == len(page.tables)
    assert all("scope" in a for a in page.named("th"))
    plots = [a for a in page.named("div") if a.get("class") == "plot"]
    assert len(plots) == len(page.figures) > 3
    assert all(a["aria-label"] and a["role"] == "img" for a in plots)
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)


# Bad input


def test_refuses_what_is_no_result(rejected, workspace, small_run):
    Path("empty").mkdir()
    message = rejected("report", "empty", "nowhere")
    assert "empty: is an empty folder; give the folder of a finished run" in message
    assert "nowhere: does not exist" in message
    assert "twice" in rejected("report", small_run, small_run)
    assert not list(workspace.glob("*.html"))


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("summary.json", "{", ["summary.json", "damaged"]),
        ("summary.json", "[]", ["summary.json", "damaged"]),
        ("summary.json", "{}", ["summary.json", "title"]),
        ("summary.json", '{"seed": NaN}', ["summary.json", "NaN is not a finite number"]),
        ("summary.json", '{"seed": 1e999}', ["summary.json", "1e999 is not a finite number"]),
        ("summary.json", None, ["has stored no results"]),
        ("config.yaml", None, ["config.yaml"]),
        ("config.yaml", "model: effective\n", ["config.yaml", "likelihood"]),
        ("samples.nc", "", ["samples.nc"]),
        ("fingerprint.json", None, ["fingerprint.json"]),
        ("compare.json", "[]", ["compare.json", "no rows"]),
        ("compare.json", '[{"run": "x"}]', ["compare.json", "0.model"]),
        ("campaign.json", '{"title": 3}', ["campaign.json", "title"]),
    ],
)
def test_refuses_damaged_folders(rejected, copied, file, content, words):
    if content is None:
        (copied / file).unlink()
    else:
        (copied / file).write_text(content)
    message = rejected("report", "mine", "--output", "page.html")
    for word in words:
        assert word in message
    assert not Path("page.html").exists()


def test_refuses_other_data_and_parameters(rejected, copied):
    rewrite(copied / "summary.json", data_hash="0")
    assert "the data of this run have changed since" in rejected("report", "mine")
    summary = json.loads((copied / "summary.json").read_text())
    run = load_run(copied / "config.yaml")
    del summary["best_fit"]["parameters"]["m_Zp"]
    rewrite(copied / "summary.json", best_fit=summary["best_fit"], data_hash=run.data_hash())
    assert "goes with its config.yaml" in rejected("report", "mine")


def test_refuses_a_run_on_its_way(rejected, copied):
    (copied / ".unfinished").mkdir()
    shutil.copy(copied / "fingerprint.json", copied / ".unfinished")
    assert "unfinished" in rejected("report", "mine")


def test_output(rejected, accepted, copied):
    Path("there.html").write_text("mine")
    assert "--force" in rejected("report", "mine", "--output", "there.html")
    assert Path("there.html").read_text() == "mine"
    Path("folder.html").mkdir()
    assert "a folder has this name" in rejected("report", "mine", "--output", "folder.html")
    message = rejected("report", "mine", "--output", "mine/config.yaml", "--force")
    assert "--output mine/config.yaml: the name must end with .html" in message
    accepted("report", "mine", "--output", "there.html", "--force")
    assert Path("there.html").read_text().lstrip().startswith("<!doctype html>")


def test_campaign_without_its_fits(rejected, grid, workspace):
    shutil.copytree(grid, "fits")
    shutil.rmtree("fits/runs")
    assert "is gone" in rejected("report", "fits")


# In a browser

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if chromium is None:
        pytest.skip("there is no chromium to look at the page with")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Open a page; check at the end that its console is empty and that it has loaded nothing."""
    heard, contexts = [], []

    def open_page(path, width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda r: heard.append(r.url) if r.url.startswith("http") else None)
        page.goto(path.resolve().as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


def drawn(page, identifier):
    page.locator(f"#{identifier}").scroll_into_view_if_needed()
    page.wait_for_selector(f"#{identifier} .main-svg")
    return page.locator(f"#{identifier}")


def test_tables_sort(opened, run_page):
    page = opened(run_page)
    table = page.locator("table.sortable").nth(1)
    heading = table.locator("th", has_text="pull")

    def keys():
        cells = table.locator("tbody tr td:nth-child(5)")
        return cells.evaluate_all("cells => cells.map(cell => Number(cell.dataset.key))")

    assert heading.get_attribute("aria-sort") == "none"
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert keys() == sorted(keys())
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert keys() == sorted(keys(), reverse=True)


def test_slices_say_who_excludes_the_point_below_the_pointer(opened, run_page):
    page = opened(run_page)
    plot = drawn(page, "part0-slice0")
    box = plot.locator(".nsewdrag").bounding_box()
    said = set()
    for x in np.linspace(0.05, 0.95, 6):
        for y in (0.1, 0.5):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.wait_for_timeout(80)
            said |= set(plot.locator(".hovertext").all_text_contents())
    assert any("excluded by" in text and "times the limit" in text for text in said)


def test_plots_can_be_kept_but_not_uploaded(opened, run_page):
    page = opened(run_page)
    plot = drawn(page, "part0-pulls")
    plot.hover()
    offered = plot.locator(".modebar-btn").evaluate_all("all => all.map(e => e.dataset.title)")
    assert offered[0].startswith("Download plot")
    assert not [words for words in offered if "hare" in words or "loud" in words]
    with page.expect_download() as download:
        plot.locator(".modebar-btn").first.click()
    assert download.value.suggested_filename.endswith(".png")


@pytest.mark.slow
def test_light_and_dark(opened, run_page):
    page = opened(run_page, scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    plot = drawn(page, "part0-pulls")
    text = "e => e.querySelector('.xtick text').style.fill"
    before = plot.evaluate(text)
    assert page.get_attribute("#theme", "aria-pressed") == "true"
    page.click("#theme")
    assert page.get_attribute("#theme", "aria-pressed") == "false"
    assert page.evaluate(colour) != dark
    page.wait_for_function(f"({text})(document.getElementById('part0-pulls')) != '{before}'")


@pytest.mark.parametrize("width", first_fast(400, 1280))
def test_nothing_sticks_out(opened, run_page, width):
    page = opened(run_page, width)
    for plot in page.locator(".plot").all():
        drawn(page, plot.get_attribute("id"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_other_pages_open(opened, accepted, comparison, grid, small_run):
    accepted("report", comparison, grid, "--output", "both.html")
    page = opened(Path("both.html"), 400, "dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for plot in page.locator(".plot").all():
        drawn(page, plot.get_attribute("id"))
    page.locator("nav a").first.click()
