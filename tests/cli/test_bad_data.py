"""Messages about mistakes in a user's entry, set or curve give place, value and remedy."""

from pathlib import Path

import pytest
from bad_input import RUN, Command, assert_mentions, gaussian, own_entry, packaged, write

# The user's own entries, sets and curves


def test_superseded_and_superseding_entry_together(rejected: Command):
    own_entry(gaussian(supersedes="[a_mu_2021]"))
    message = rejected("validate", "fit.yaml")
    assert_mentions(
        message, "fit.yaml:2: likelihood", "'mine' supersedes", "'a_mu_2021'", "drop one"
    )


def test_an_entry_superseded_by_a_packaged_name(rejected: Command):
    own_entry(gaussian(measurement="yet another"))
    own_entry(gaussian(supersedes="[mine]"), name="newer")
    write("fit.yaml", "model: effective\nlikelihood: {add: [mine, newer]}\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "'newer' supersedes", "'mine'", "drop one")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"error": "0"}, ["mine.yaml:2: error", "greater than 0"]),
        ({"error": "'1e-10'"}, ["mine.yaml:2: error", "must be a number", "'1e-10'"]),
        ({"observable": "delta_a_mo"}, ["mine.yaml:2: observable", "did you mean 'delta_a_m"]),
        ({"eror": "3"}, ["mine.yaml:2: eror", "did you mean 'error'"]),
        ({"confidence_level": "68"}, ["mine.yaml:2: confidence_level", "less than 1", "68"]),
        ({"type": "gausian"}, ["mine.yaml:2: type", "'gausian'", "'gaussian'"]),
        ({"citations": "[]"}, ["mine.yaml:2: citations", "at least 1"]),
    ],
)
def test_mistake_in_an_entry(rejected: Command, changes: dict[str, str], words: list[str]):
    own_entry(gaussian(**changes))
    assert_mentions(rejected("validate", "fit.yaml"), *words)


def test_a_set_that_lists_an_entry_twice(rejected: Command):
    head = "title: t\ndescription: d\nexclusions: hard\n"
    write("likelihoods/sets/mine.yaml", head + "entries: [a_mu_2021, kloe_2015, a_mu_2021]\n")
    write("fit.yaml", "model: effective\nlikelihood: mine\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:2: likelihood.set", "'a_mu_2021' twice", "keep one")


HEADERS = {"kloe_2015": "mass_MeV,epsilon", "na64_2020": "mass_MeV,epsilon_lower,epsilon_upper"}


def own_curve(rows: str, entry: str = "kloe_2015", header: str = "") -> None:
    write(f"likelihoods/entries/{entry}.yaml", packaged(f"likelihoods/entries/{entry}.yaml"))
    write(f"likelihoods/entries/{entry}.csv", f"# mine\n{header or HEADERS[entry]}\n{rows}")
    write("fit.yaml", RUN)


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ("5,1e-3\n10,2e-3\n7,1e-3\n", 5, ["mass 7 follows 10", "sort"]),
        ("5,1e-3\n5,2e-3\n", 4, ["mass 5 follows 5", "keep one row"]),
        ("5,1e-3\n10,\n", 4, ["mass_MeV, epsilon", "'10,'"]),
        ("5,1e-3\n10\n", 4, ["mass_MeV, epsilon", "'10'"]),
        ("5,1e-3\n10,2e-3,3e-3\n", 4, ["mass_MeV, epsilon", "'10,2e-3,3e-3'"]),
        ("5,1e-3\n10,-2e-3\n", 4, ["epsilon must be positive", "-0.002"]),
        ("-5,1e-3\n10,2e-3\n", 3, ["mass_MeV must be positive", "-5"]),
        ("5,1e-3\n10,small\n", 4, ["'10,small'", "no number"]),
        ("5,1e-3\n10,nan\n", 4, ["epsilon must be positive and finite", "nan"]),
        ("5,1e-3\n10,inf\n", 4, ["epsilon must be positive and finite", "inf"]),
        ("5,1e-3\n", 3, ["at least 2 rows"]),
        ("", 2, ["at least 2 rows"]),
    ],
)
def test_mistake_in_a_curve(rejected: Command, rows: str, line: int, words: list[str]):
    own_curve(rows)
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, f"kloe_2015.csv:{line}: ", *words)


def test_edges_of_a_region_in_the_wrong_order(rejected: Command):
    own_curve("5,1e-4,1e-3\n10,2e-3,1e-3\n", entry="na64_2020")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "na64_2020.csv:4: ", "lower edge 0.002", "upper one 0.001")


@pytest.mark.parametrize("header", ["mass_GeV,epsilon", "mass_MeV,epsilon_lower,epsilon_upper"])
def test_wrong_header_of_a_curve(rejected: Command, header: str):
    own_curve("5,1e-3\n10,2e-3\n", header=header)
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "kloe_2015.csv:2: ", "'mass_MeV,epsilon'")


def test_missing_curve(rejected: Command):
    own_curve("")
    Path("likelihoods/entries/kloe_2015.csv").unlink()
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "kloe_2015.csv", "cannot be read", "check the path")
