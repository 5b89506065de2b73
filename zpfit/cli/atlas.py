"""Command ``atlas``: all anomaly-free charge sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import options
from zpfit.cli.atlas_screens import fit, plot
from zpfit.cli.atlas_screens import table as ranking
from zpfit.cli.atlas_survey import survey
from zpfit.cli.output import console, plain, print_json, print_table, print_written, table

if TYPE_CHECKING:
    from zpfit.api.atlas_sets import AtlasSet
    from zpfit.api.atlas_signatures import Screen
    from zpfit.api.atlases import Atlas

_GAINS = (4, 9, 16)
"""Gains in chi2 whose signatures the table of a screen counts."""
_BEST = 10
"""Signatures that the table of a screen shows."""
_NO_NEUTRINOS = "Leave out right-handed neutrinos; this list has numbers of its own."

higgs = click.option(
    "--higgs",
    type=click.Choice(("zero", "renormalisable")),
    required=True,
    help="z_H = 0 and masses of leptons from powers of a flavon, or z_H* without flavons.",
)


@click.group()
def atlas() -> None:
    """Enumerate anomaly-free charge sets, and show what data see of them.

    Sets are integer charges of the fermions of the Standard Model, with or without three
    right-handed neutrinos (arXiv:1812.04602).
    """


atlas.add_command(ranking)
atlas.add_command(plot)
atlas.add_command(fit)
atlas.add_command(survey)


@atlas.command(name="enumerate")
@click.option("--qmax", type=int, required=True, help="Largest absolute charge, 1 to 12.")
@click.option("--no-neutrinos", is_flag=True, help=_NO_NEUTRINOS)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("output/atlas.nc"),
    show_default=True,
    help="NetCDF file.",
)
@options.force("Replace an existing file.")
@options.as_json
def enumerate_(*, qmax: int, no_neutrinos: bool, output: Path, force: bool, as_json: bool) -> None:
    """Write all charge sets up to a largest charge to a file.

    Qmax 10 takes 20 seconds. An interrupted enumeration continues when it is repeated.

    \b
    zpfit atlas enumerate --qmax 6 --output atlas.nc
    """
    from zpfit.api.atlases import atlas as made
    from zpfit.cli.progress import StageLines

    found = made(
        qmax, neutrinos=not no_neutrinos, output=output, progress=StageLines(), force=force
    )
    if as_json:
        written = [str(path) for path in found.files]
        print_json({"written": written, "counts": _counts(found)})
        return
    _print_counts(found)
    print_written(found.files)


@atlas.command()
@click.argument("file", type=click.Path(path_type=Path))
@higgs
@click.option(
    "--flavour",
    type=click.Choice(("universal", "two_alike", "universal_doublets", "general")),
    default="general",
    show_default=True,
    help="Least safe flavour structure of quarks that is kept.",
)
@click.option("--quarks", is_flag=True, help="Add first-family quarks; two families alike.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="NetCDF file for the table."
)
@options.force("Replace an existing file.")
@options.as_json
def signatures(
    file: Path,
    *,
    higgs: str,
    flavour: str,
    quarks: bool,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Find what data can see of charge sets: their distinct signatures.

    FILE is one that zpfit atlas enumerate has written.

    \b
    zpfit atlas signatures atlas.nc --higgs zero --output signatures.nc
    """
    from zpfit.api.atlases import atlas as read

    found = read(file).signatures(higgs, flavour=flavour, quarks=quarks, output=output, force=force)
    if as_json:
        written = [str(path) for path in found.files]
        print_json({"higgs": higgs, "signatures": len(found), "written": written})
        return
    console().print(f"{len(found):,} signatures, policy {higgs}.")
    if found.files:
        print_written(found.files)


@atlas.command()
@click.argument("file", type=click.Path(path_type=Path))
@higgs
@click.option("--likelihood", required=True, help="Likelihood set.")
@options.entries
@click.option("--quarks", is_flag=True, help="Add first-family quarks; two families alike.")
@click.option("--evidence", is_flag=True, help="Add ln Z of every signature.")
@click.option("--joint-sigma", is_flag=True, help="Add the joint sigma of every signature: slow.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("output/screen.nc"),
    show_default=True,
    help="NetCDF file.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed.")
@options.force("Replace an existing file.")
@options.executor
@options.as_json
def screen(
    file: Path,
    *,
    higgs: str,
    likelihood: str,
    added: Sequence[str],
    dropped: Sequence[str],
    quarks: bool,
    evidence: bool,
    joint_sigma: bool,
    output: Path,
    seed: int,
    force: bool,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Find the least chi2 of every signature on a set of data.

    FILE is one that zpfit atlas enumerate has written. A core does some 100 signatures a second on
    today_leptons_cs. An interrupted screen continues when it is repeated.

    \b
    zpfit atlas screen atlas.nc --higgs renormalisable --likelihood today_leptons_cs --evidence
    zpfit atlas screen atlas.nc --higgs zero --likelihood today_leptons_cs --drop white_dwarf_2013
    """
    from zpfit import Likelihood
    from zpfit.api.atlases import atlas as read
    from zpfit.cli.progress import StageLines

    choice = options.executor_choice(executor, workers, scheduler)
    found = (
        read(file)
        .signatures(higgs, quarks=quarks)
        .screen(
            Likelihood(likelihood, add=added, drop=dropped),
            output=output,
            executor=choice,
            seed=seed,
            evidence=evidence,
            joint_sigma=joint_sigma,
            progress=StageLines(),
            force=force,
        )
    )
    if as_json:
        print_json(_screen_record(found))
    else:
        print_screen(found)
        print_written(found.files)


def print_screen(found: "Screen") -> None:
    """Print the references, how many signatures gain how much, and the best ones.

    Parameters
    ----------
    found
        Result of a screen.
    """
    terminal, frame = console(), found.frame
    terminal.print(plain(f"chi2 without a Z': {found.without:.3f}"))
    terminal.print(plain(f"chi2 of the dark photon: {found.dark_photon:.3f}"))
    for gain in _GAINS:
        better = int((frame["chi2"] < found.dark_photon - gain).sum())
        terminal.print(f"{better:,} of {len(frame):,} signatures gain more than {gain} against it.")
    made = table(f"Best signatures on {found.likelihood}")
    integers = found.signatures.columns
    for heading in ("chi2", "m_Zp [MeV]", "g'", "c", *integers, "set", "sets"):
        made.add_column(heading, justify="right")
    for _, row in frame.nsmallest(_BEST, "chi2").iterrows():
        values = [f"{row['chi2']:.3f}", f"{row['m_Zp']:.1f}"]
        values += [f"{row['g_prime']:.2e}", f"{row['c']:.2e}"]
        made.add_row(*values, *(str(int(row[n])) for n in (*integers, "first", "sets")))
    print_table(made)


def _screen_record(found: "Screen") -> dict[str, object]:
    """Return the references and the best signatures as plain data."""
    best = found.frame.nsmallest(_BEST, "chi2").reset_index()
    return {
        "likelihood": found.likelihood,
        "higgs": found.signatures.higgs,
        "chi2_without": found.without,
        "chi2_dark_photon": found.dark_photon,
        "signatures": len(found.signatures),
        "best": best.to_dict("records"),
        "written": [str(path) for path in found.files],
    }


@atlas.command()
@click.argument("number", type=click.IntRange(min=0))
@higgs
@click.option("--no-neutrinos", is_flag=True, help="Take the list without right-handed neutrinos.")
@click.option(
    "--pairing",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Pairing of lepton charges with families, a row of the table.",
)
@click.option(
    "--likelihood", default="today_cs", show_default=True, help="Likelihood set of the run file."
)
@options.output("Folder for a run file and its model file.")
@options.force("Replace existing files.")
@options.as_json
def show(
    number: int,
    *,
    higgs: str,
    no_neutrinos: bool,
    pairing: int,
    likelihood: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Show a charge set and its pairings, and write files to fit it.

    NUMBER is the number of a set, which is the same for any largest charge.

    \b
    zpfit atlas show 13 --higgs zero
    zpfit atlas show 13 --higgs zero --pairing 2 --output mine
    zpfit run mine/atlas_13.yaml
    """
    from zpfit.api.atlases import numbered_set

    found = numbered_set(number, neutrinos=not no_neutrinos)
    written: tuple[Path, ...] = ()
    if output is not None:
        written = found.write(output, higgs, pairing=pairing, likelihood=likelihood, force=force)
    if as_json:
        print_json({**_record(found, higgs), "written": [str(path) for path in written]})
        return
    print_set(found, higgs)
    if written:
        print_written(written)


def print_set(found: "AtlasSet", higgs: str) -> None:
    """Print charges, flags and pairings of a set.

    Parameters
    ----------
    found
        The set.
    higgs
        Policy for the Higgs charge.
    """
    terminal = console()
    made = table(f"Charge set {found.number}")
    for heading in ("", "1", "2", "3"):
        made.add_column(heading, justify="right" if heading else "left")
    for name, charges in found.charges.items():
        made.add_row(name, *map(str, charges))
    print_table(made)
    terminal.print(plain(f"Higgs charge of renormalisable masses: {found.higgs_charge:.6g}"))
    terminal.print(plain(f"Quark families: {found.quark_flavour}"))
    held = ", ".join(name for name, value in found.flags.items() if value)
    terminal.print(plain(f"Flags: {held or 'none'}"), soft_wrap=True)
    _print_pairings(found, higgs)


def _print_pairings(found: "AtlasSet", higgs: str) -> None:
    frame = found.pairings(higgs)
    if frame.empty:
        console().print(plain(f"No pairing with the policy {higgs}."))
        return
    made = table(
        f"Pairings, policy {higgs}",
        caption="L and R: charges of e, mu, tau; N, A: signature; n: powers of the flavon",
    )
    for heading in ("", "L", "R", "N_e", "A_e", "N_mu", "A_mu", "|N_tau|", "n"):
        made.add_column(heading, justify="right")
    for number, row in frame.iterrows():
        threes = [", ".join(str(row[f"{k}_{f}"]) for f in ("e", "mu", "tau")) for k in "LRn"]
        signature = [str(row[name]) for name in ("N_e", "A_e", "N_mu", "A_mu", "N_tau")]
        made.add_row(str(number), *threes[:2], *signature, threes[2])
    print_table(made)


def _record(found: "AtlasSet", higgs: str) -> dict[str, object]:
    """Return a set as plain data."""
    return {
        "number": found.number,
        "neutrinos": found.neutrinos,
        "charges": found.charges,
        "higgs_charge": found.higgs_charge,
        "quark_flavour": found.quark_flavour,
        "flags": found.flags,
        "higgs": higgs,
        "pairings": found.pairings(higgs).reset_index().to_dict("records"),
    }


def _counts(found: "Atlas") -> dict[str, dict[str, int]]:
    """Return the number of sets up to each Qmax, by flag."""
    counts = found.counts
    return {name: {str(q): int(n) for q, n in counts[name].items()} for name in counts}


def _print_counts(found: "Atlas") -> None:
    made = table("Charge sets up to each largest charge")
    made.add_column("Qmax", justify="right")
    shown = ("all", "sm_only", "renormalisable_leptons", "renormalisable", "quarks_universal")
    for name in shown:
        made.add_column(name.replace("_", " "), justify="right")
    for qmax, row in found.counts.iterrows():
        made.add_row(str(qmax), *(f"{row[name]:,}" for name in shown))
    print_table(made)
