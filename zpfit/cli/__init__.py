"""The command line: thin, and quick to start, as each command imports what it needs."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from zpfit.cli import completion
from zpfit.cli import data as cli_data
from zpfit.cli import export as cli_interfaces
from zpfit.cli.explore import explore
from zpfit.cli.messages import LEVELS, Messages, complain, keep_log, warn
from zpfit.cli.messages import note as tell
from zpfit.cli.output import print_json, print_written
from zpfit.cli.report import report
from zpfit.errors import InvalidInput, Stopped, ZpfitError, all_of
from zpfit.runs.pools import ExecutorChoice, Kind

_INTERRUPTED = 130
_BY_SIGNAL = 128
"""Exit code of a process that a signal has ended, plus the signal's number."""


class _Commands(click.Group):
    """A group that turns a user's mistake into a message and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            for problem in error.problems:
                complain(problem)
        except Stopped as error:
            click.echo(str(error), err=True)
            return ctx.exit(_BY_SIGNAL + error.number)
        except ZpfitError as error:
            complain(str(error))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            return ctx.exit(_INTERRUPTED)
        return ctx.exit(2)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order in which they are defined."""
        return list(self.commands)


Command = Callable[..., None]


def _executor_options(command: Command) -> Command:
    """Options of commands that spread fits over processes."""
    kinds = click.Choice([kind.value for kind in Kind])
    for option in (
        click.option("--scheduler", metavar="ADDRESS", help="Of an existing Dask cluster."),
        click.option(
            "--workers", type=click.IntRange(1, 10_000), help="How many [one for each core]."
        ),
        click.option(
            "--executor",
            type=kinds,
            default=Kind.PROCESSES.value,
            show_default=True,
            help="Where to fit: this process, processes of this machine, Dask, MPI.",
        ),
    ):
        command = option(command)
    return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zpfit", message="%(version)s")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but results and errors.")
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Add messages with their time to a file.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="The least that goes there.",
)
@click.pass_context
def cli(ctx: click.Context, *, quiet: bool, log: Path | None, log_level: str) -> None:
    """Fit a light Z' boson to lepton data.

    Start with: zpfit run quickstart
    """
    ctx.obj = Messages(quiet)
    if log is not None:
        keep_log(ctx, log, log_level)


@cli.command()
@click.argument("file", shell_complete=completion.RUNS_AND_FOLDERS)
@click.option("--output", type=click.Path(path_type=Path), help="Run folder [output/NAME].")
@click.option("--force", is_flag=True, help="Replace an earlier run in the folder.")
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the run file's seed.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the run file.")
@click.option(
    "--limit", "limits", multiple=True, metavar="FILE.lmt[:KEY=VALUE]", help="Add a limit file."
)
@click.option("--cross-check", is_flag=True, help="Compute ln Z with a second engine as well.")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped or killed.")
@click.option(
    "--checkpoint-every",
    "interval",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to keep what a run goes on from.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run(
    file: str,
    *,
    output: Path | None,
    force: bool,
    resume: bool,
    interval: float,
    seed: int | None,
    changes: Sequence[str],
    limits: Sequence[str],
    cross_check: bool,
    as_json: bool,
) -> None:
    """Fit: sample the posterior and find the best fit.

    FILE is a path or the name of a packaged run (see zpfit list runs), or a run folder. A run
    that was stopped or killed goes on with --resume, to the same numbers.

    \b
    zpfit run quickstart
    zpfit run quickstart --resume
    zpfit run my_fit.yaml --output fits/first --seed 7
    zpfit run quickstart --set sampler.target_ess=20000 --set likelihood.set=paper_2021_rb
    zpfit run quickstart --limit prompt.lmt --limit dump.lmt:length_ratio=2
    """
    from zpfit.cli.tables import RunReporter, print_summary
    from zpfit.runs.execution import Start, carry_out, claimed
    from zpfit.runs.run_file import find_run_file, find_unfinished, load_run
    from zpfit.runs.run_folder import RunFolder

    if resume and force:
        raise click.UsageError("--resume goes on with a run, --force replaces it: give one of them")
    settings = _parse_changes(changes) | ({} if seed is None else {"seed": str(seed)})
    found = (find_unfinished if resume else find_run_file)(file)
    loaded = load_run(found, settings, limits)
    same_folder = resume and Path(file) in found.parents
    folder = RunFolder(output or (Path(file) if same_folder else Path("output") / loaded.name))
    start = Start.RESUME if resume else Start.REPLACE if force else Start.NEW
    with claimed(loaded, folder, start, cross_check=cross_check) as claim:
        if claim.finished:
            tell("Nothing to do: the run is finished")
            summary = folder.summary()
        else:
            with RunReporter(folder.log_path) as reporter:
                summary = carry_out(claim, reporter, checkpoint_interval=interval)
                reporter.finish(summary)
    if as_json:
        print_json({"folder": str(folder.path), **summary})
    else:
        print_summary(summary, folder.path)


@cli.command()
@click.argument(
    "files_or_runs", nargs=-1, required=True, shell_complete=completion.RUNS_AND_FOLDERS
)
@click.option("--output", type=click.Path(path_type=Path), help="Folder for JSON and plots.")
@click.option("--force", is_flag=True, help="Replace what the output folder holds.")
@click.option("--reference", metavar="MODEL", help="Model of the Bayes factors [no Z'].")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(
    files_or_runs: Sequence[str],
    *,
    output: Path | None,
    force: bool,
    reference: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Which class of models survives, by how much, and how sure that is.

    FILES_OR_RUNS are run files or names of packaged runs, which are fitted first, and
    folders of finished runs.

    \b
    zpfit compare sm_u1_cs nhdm_u1_cs froggatt_nielsen_cs quickstart --output output/classes
    zpfit compare output/sm_u1_cs output/quickstart --reference effective --json
    """
    from zpfit.cli.compare_table import print_comparison
    from zpfit.cli.tables import StageLines
    from zpfit.runs.comparison import compare_all

    result, problems = compare_all(
        files_or_runs, output, reference, seed, StageLines(), force=force
    )
    rows = list(result.rows)
    for problem in problems:
        warn(problem)
    if as_json:
        print_json(rows)
    else:
        print_comparison(rows, output)


@cli.command()
@click.argument("file", shell_complete=completion.CAMPAIGNS)
@click.option("--output", type=click.Path(path_type=Path), help="Campaign folder [output/NAME].")
@click.option("--force", is_flag=True, help="Fit again what is finished.")
@click.option("--plan", is_flag=True, help="List the fits and leave it at that.")
@_executor_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def campaign(
    file: str,
    *,
    output: Path | None,
    force: bool,
    plan: bool,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Many fits from one file: models x data x priors x seeds x overrides.

    FILE is a campaign file or the name of a packaged one (see zpfit list campaigns). Finished
    fits are left as they are, so that the same command goes on with a campaign.

    \b
    zpfit campaign classes_today --plan
    zpfit campaign my_grid.yaml --workers 8
    zpfit campaign my_grid.yaml --executor dask --scheduler tcp://node1:8786
    mpiexec -n 9 python -m mpi4py.futures -m zpfit campaign my_grid.yaml --executor mpi
    """
    from zpfit.cli.campaign_table import print_campaign, print_plan
    from zpfit.cli.tables import RunReporter
    from zpfit.runs.campaign import campaign_in_folder
    from zpfit.runs.campaign_file import load_campaign
    from zpfit.runs.run_file import find_file

    choice = _executor_choice(executor, workers, scheduler)
    loaded = load_campaign(find_file("campaign", file))
    if plan and as_json:
        print_json([name for _, _, name in loaded.tasks()])
        return
    if plan:
        print_plan(loaded)
        return
    folder = output or Path("output") / loaded.name
    record, problems, failures = campaign_in_folder(
        loaded, folder, choice, RunReporter, force=force
    )
    for problem in problems:
        warn(problem)
    if as_json:
        print_json(record)
    else:
        print_campaign(record, folder)
    if failures is not None:
        raise failures


@cli.command()
@click.argument("file", shell_complete=completion.RUNS_AND_FOLDERS)
@click.option("--output", type=click.Path(path_type=Path), help="Folder for JSON and plot.")
@click.option("--force", is_flag=True, help="Replace what the output folder holds.")
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the run file's seed.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the run file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tension(
    file: str,
    *,
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: Sequence[str],
    as_json: bool,
) -> None:
    """Do the data agree with each other: pulls, joint sigma, goodness of fit, suspiciousness.

    FILE is a run file, the name of a packaged run, or a run folder.

    \b
    zpfit tension quickstart
    zpfit tension output/quickstart --output output/quickstart
    zpfit tension sm_u1_rb --set likelihood.set=paper_2021_rb_soft --json
    """
    from zpfit.analysis.tension import tension as use_case
    from zpfit.cli.tables import StageLines
    from zpfit.cli.tension_table import print_tension
    from zpfit.io.writing import make_room
    from zpfit.runs.records import TENSION_FILES, write_tension
    from zpfit.runs.run_file import find_run_file, load_run

    settings = _parse_changes(changes) | ({} if seed is None else {"seed": str(seed)})
    loaded = load_run(find_run_file(file), settings)
    if output is not None:
        make_room(output, TENSION_FILES, force=force)
    result = use_case.tension_record(loaded, use_case.tension(loaded, StageLines()))
    if output is not None:
        write_tension(result, output)
    if as_json:
        print_json(result)
        return
    print_tension(result)
    if output is not None:
        click.echo(f"Written: {output / 'tension.json'}, {output / 'tension.png'}")


@cli.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("output/paper"),
    show_default=True,
    help="Folder for page, figures and tables.",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the numbers.",
)
@click.option("--force", is_flag=True, help="Replace what the output folder holds.")
def paper(*, output: Path, json_path: Path | None, force: bool) -> None:
    """Redraw every figure of arXiv:2102.07781 and recompute every number, in about a minute.

    The page paper.md in the output folder walks through the figures and says where a computed
    number differs from the paper's, and why.

    \b
    zpfit paper
    zpfit paper --output my_folder --json numbers.json
    """
    from zpfit.studies.paper_2021.processes import workers

    with workers() as pool:
        from zpfit.cli.studies_table import print_paper
        from zpfit.cli.tables import StageLines
        from zpfit.io.writing import check_writable
        from zpfit.studies.paper_2021.reproduce import reproduce, write_json

        if json_path is not None:
            check_writable(json_path)
        result = reproduce(output, StageLines(), pool, force=force)
    if json_path is not None:
        write_json(json_path, result.claims)
    print_paper(result, output)


@cli.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("output/epochs"),
    show_default=True,
    help="Folder for runs, comparison and page.",
)
@click.option("--force", is_flag=True, help="Replace what the output folder holds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def epochs(*, output: Path, force: bool, as_json: bool) -> None:
    """Fit every class of models to the data of 2021 and of today; what became of the no-go theorem.

    Takes half an hour to an hour and writes what-changed.md.
    """
    from zpfit.cli.tables import StageLines
    from zpfit.studies.epochs import PAGE, write_epochs

    for problem in write_epochs(output, StageLines(), force=force):
        warn(problem)
    print_written([output / PAGE], as_json=as_json)


@cli.command()
@click.argument("file", required=False, shell_complete=completion.SLICES)
@click.option("--x", metavar="NAME[=LOW:HIGH]", help="Parameter along x; :log for decades.")
@click.option("--y", metavar="NAME[=LOW:HIGH]", help="The same along y.")
@click.option("--fix", multiple=True, metavar="NAME=VALUE", help="Give a parameter its value.")
@click.option(
    "--solve",
    multiple=True,
    metavar="NAME:OBSERVABLE=VALUE",
    help="Let a parameter follow from an observable; :negative, :nearest.",
)
@click.option("--profile", multiple=True, metavar="NAME", help="Let a parameter take any value.")
@click.option("--within", multiple=True, metavar="ENTRY=SIGMA", help="Standard errors allowed [2].")
@click.option("--band", multiple=True, metavar="ENTRY=SIGMA", help="Draw a measurement as a band.")
@click.option(
    "--likelihood",
    metavar="SET",
    shell_complete=completion.SETS,
    help="A named set (see zpfit list likelihoods).",
)
@click.option(
    "--limit", "limits", multiple=True, metavar="FILE.lmt[:KEY=VALUE]", help="Add a limit file."
)
@click.option(
    "--model",
    "model_text",
    metavar="NAME",
    shell_complete=completion.MODELS,
    help="A model [effective].",
)
@click.option("--output", type=click.Path(path_type=Path), help="Folder for figure and tables.")
@click.option("--force", is_flag=True, help="Replace what the output folder holds.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the slice file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def exclusion(
    file: str | None,
    *,
    output: Path | None,
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Which experiment forbids which part of a plane of two parameters, and what is left.

    FILE is a slice file or the name of a packaged one (see zpfit list slices); options make one
    or change it. Parameters that are not mentioned have their default, couplings zero.

    \b
    zpfit exclusion paper_fig2a --output output/fig2a
    zpfit exclusion --x m_Zp=5:50 --y C_Ae=5e-5:1e-3:log --solve C_Ve:delta_a_e=-1.23e-12 \\
        --likelihood paper_2021_cs --set likelihood.drop=[a_mu_2021] --output output/slice
    zpfit exclusion --x m_Zp=5:50 --y C_Ae=5e-5:1e-3:log --profile C_Ve --profile C_nue \\
        --likelihood paper_2021_cs --set likelihood.drop=[a_mu_2021] --output output/profile
    """
    from zpfit.analysis.exclusion.exclusion import exclusion_map
    from zpfit.analysis.exclusion.record import exclusion_record
    from zpfit.cli.exclusion_table import print_exclusion
    from zpfit.io.writing import make_room
    from zpfit.runs.records import EXCLUSION_FILES, write_exclusion
    from zpfit.runs.slice_options import load_slice

    chosen = load_slice(file, options)
    if output is not None:
        make_room(output, EXCLUSION_FILES, force=force)
    record = exclusion_record(chosen, exclusion_map(chosen))
    if output is not None:
        write_exclusion(record, output)
    if as_json:
        click.echo(json.dumps(record, allow_nan=False))
        return
    print_exclusion(record)
    if output is not None:
        click.echo(f"Written: {', '.join(str(output / name) for name in EXCLUSION_FILES)}")


@cli.command()
@click.argument("file", shell_complete=completion.RUNS_AND_FOLDERS)
@click.option("--x", required=True, metavar="NAME[=LOW:HIGH]", help="A sampled parameter.")
@click.option("--y", metavar="NAME[=LOW:HIGH]", help="A second one, for regions in the plane.")
@click.option(
    "--points",
    type=click.IntRange(min=10, max=400),
    help="Nodes on each axis [60 with one, 40 with two].",
)
@click.option("--output", type=click.Path(path_type=Path), help="Folder for JSON and plots.")
@click.option("--force", is_flag=True, help="Replace what the output folder holds.")
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the run file's seed.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the run file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def profile(
    file: str,
    *,
    x: str,
    y: str | None,
    points: int | None,
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: Sequence[str],
    as_json: bool,
) -> None:
    """Profile likelihood and posterior of one or two parameters, side by side.

    FILE is a run file, the name of a packaged run, or a run folder.

    \b
    zpfit profile quickstart --x m_Zp --output output/profiles
    zpfit profile quickstart --x m_Zp=10:60 --y C_Ae --points 50 --output output/profiles
    zpfit profile output/quickstart --x C_Vmu --json
    """
    from zpfit.analysis.profile import profile as use_case
    from zpfit.analysis.profile.axis import choose_axes
    from zpfit.cli.profile_table import print_profile
    from zpfit.cli.tables import StageLines
    from zpfit.io.writing import make_room
    from zpfit.runs.records import profile_files, write_profile
    from zpfit.runs.run_file import find_run_file, load_run

    settings = _parse_changes(changes) | ({} if seed is None else {"seed": str(seed)})
    loaded = load_run(find_run_file(file), settings)
    texts = [("--x", x), *([] if y is None else [("--y", y)])]
    axes = choose_axes(loaded.posterior.priors, texts)
    names = profile_files([axis.name for axis in axes])
    if output is not None:
        make_room(output, names, force=force)
    result = use_case.profile_record(loaded, use_case.profile(loaded, axes, points, StageLines()))
    if output is not None:
        write_profile(result, output)
    if as_json:
        print_json(result)
        return
    print_profile(result)
    if output is not None:
        click.echo(f"Written: {', '.join(str(output / name) for name in names)}")


@cli.command()
@click.argument("file", shell_complete=completion.RUNS_AND_FOLDERS)
@click.option("--n", type=click.IntRange(min=1), required=True, help="Toys in all.")
@click.option(
    "--hypothesis",
    type=click.Choice(["no-zprime", "best-fit", "nested"]),
    default="no-zprime",
    show_default=True,
    help="What toys are drawn from; nested: the best fit of the smaller model.",
)
@click.option("--nested", metavar="FILE2", help="A smaller model on the same data.")
@click.option("--joint-sigma/--no-joint-sigma", default=True, help="The joint sigma of each toy.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder [output/toys_NAME].")
@click.option("--force", is_flag=True, help="Start again where other toys are.")
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the run file's seed.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the run file.")
@_executor_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def toys(
    file: str,
    *,
    n: int,
    hypothesis: Literal["no-zprime", "best-fit", "nested"],
    nested: str | None,
    joint_sigma: bool,
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: Sequence[str],
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Calibrated p-values: draw pseudo-experiments, fit each again, count the extreme ones.

    FILE is a run file, the name of a packaged run, or a run folder. Toys in the output folder
    are kept and continued up to the number asked for.

    \b
    zpfit toys quickstart --n 1000
    zpfit toys quickstart --n 2000 --hypothesis best-fit --output output/toys_best_fit
    zpfit toys nhdm_u1_cs --n 500 --nested sm_u1_cs --hypothesis nested --no-joint-sigma
    """
    from zpfit.cli.toys_table import ToyLines, print_toys
    from zpfit.runs import toys as use_case
    from zpfit.runs.toy_folder import RESULTS, ToyFolder

    choice = _executor_choice(executor, workers, scheduler)
    settings = _parse_changes(changes) | ({} if seed is None else {"seed": str(seed)})
    run_file, smaller = use_case.sources(file, nested, settings)
    request = use_case.ToyRequest(run_file, n, hypothesis, smaller, joint_sigma)
    folder = ToyFolder(output or use_case.default_folder(run_file))
    record, _ = use_case.toys_in_folder(request, folder, choice, ToyLines(), force=force)
    if as_json:
        print_json(record)
        return
    print_toys(record)
    click.echo(f"Written: {', '.join(str(folder.path / name) for name in RESULTS)}")


@cli.command()
@click.option(
    "--likelihood",
    metavar="SET",
    shell_complete=completion.SETS,
    help="A named set (see zpfit list).",
)
@click.option(
    "--model",
    "model_text",
    default="effective",
    show_default=True,
    metavar="NAME",
    shell_complete=completion.MODELS,
    help="A model, or what a run file would say of it in YAML.",
)
@click.option("--at", multiple=True, metavar="NAME=VALUE", help="A parameter of the point.")
@click.option("--points", type=click.Path(path_type=Path), metavar="FILE.csv", help="Many points.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(
    *,
    likelihood: str | None,
    model_text: str,
    at: Sequence[str],
    points: Path | None,
    as_json: bool,
) -> None:
    """Couplings and predictions at given points; with a likelihood, pull and chi2 of every term.

    Give one point with --at NAME=VALUE (spaces separate further ones), or many
    with --points and a CSV file that has one column per parameter. Parameters
    that are left out have their default value (see zpfit show MODEL); couplings
    of the model effective are then zero.

    \b
    zpfit evaluate --likelihood paper_2021_cs --at m_Zp=18 --at C_Ae=1.6e-4 --at C_Vmu=5e-4
    zpfit evaluate --likelihood paper_2021_rb --points my_points.csv --json
    zpfit evaluate --likelihood paper_2021_cs --model B-L --at "m_Zp=20 g_prime=1e-5"
    zpfit evaluate --model "{name: B-L, options: {mass: zS_vS}}" --at "zS_vS=2e6 g_prime=1e-5"
    """
    from zpfit.analysis.evaluate import evaluate as evaluate_points
    from zpfit.analysis.evaluate import evaluate_model, parameter_table
    from zpfit.cli.tables import print_points
    from zpfit.io.library import Library
    from zpfit.io.points import read_points
    from zpfit.likelihood.build import LikelihoodSpec, assemble
    from zpfit.likelihood.likelihood import Likelihood
    from zpfit.models.library import ready_for_batches
    from zpfit.runs.run_file import load_single_model

    if bool(at) == (points is not None):
        raise click.UsageError("give the point with --at NAME=VALUE, or points with --points FILE")

    def chosen_likelihood() -> Likelihood:
        if likelihood is None:
            return Likelihood("", (), ())
        spec = LikelihoodSpec(set=likelihood)
        return assemble(spec, Library.beside(), lambda *_: "--likelihood").likelihood

    def chosen_points() -> tuple[list[dict[str, float]], list[str]]:
        return read_points(points) if points is not None else ([_parse_point(at)], ["--at"])

    chosen, (spec, model), (points_given, places) = all_of(
        chosen_likelihood, lambda: load_single_model(model_text), chosen_points
    )
    table = parameter_table(points_given, model, places)
    model, notes = ready_for_batches(model, spec, table, "--model")
    for note in notes:
        tell(note)
    evaluated = evaluate_model(model, table)
    if as_json:
        click.echo(json.dumps(evaluate_points(chosen, evaluated), indent=2))
    else:
        print_points(chosen, points_given, evaluated)


@cli.command()
@click.argument("file", shell_complete=completion.RUNS_AND_FOLDERS)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the run file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(file: str, *, changes: Sequence[str], as_json: bool) -> None:
    """Check a run or campaign file and all it names, without fitting; says if it names Python code.

    To be checked, such code is imported and called.
    """
    from zpfit.cli.campaign_table import print_plan
    from zpfit.runs.campaign_file import is_campaign, load_campaign
    from zpfit.runs.run_file import find_run_file, load_run

    if Path(file).is_file() and is_campaign(Path(file)):
        if changes:
            raise click.UsageError("--set changes a run file: leave it out here")
        print_plan(load_campaign(Path(file)))
        return
    loaded = load_run(find_run_file(file), _parse_changes(changes))
    posterior = loaded.posterior
    if as_json:
        print_json(
            {
                "name": loaded.name,
                "valid": True,
                "model": posterior.model.name,
                "parameters": list(posterior.names),
                "likelihood": posterior.likelihood.name,
                "measurements": [term.name for term in posterior.likelihood.measurements],
                "exclusions": [term.name for term in posterior.likelihood.exclusions],
                "code": loaded.code,
                "notes": list(loaded.notes),
            }
        )
        return
    click.echo(
        f"{loaded.name}: valid. Model {posterior.model.name}, {posterior.dimension} sampled "
        f"parameters, likelihood {posterior.likelihood.name} with "
        f"{len(posterior.likelihood.measurements)} measurements and "
        f"{len(posterior.likelihood.exclusions)} exclusions."
    )
    if loaded.code:
        click.echo(f"note: runs Python code: {loaded.code}")
    for note in loaded.notes:
        tell(note)


cli.add_command(cli_data.list_)
cli.add_command(cli_data.show)
cli.add_command(cli_data.cite)
cli.add_command(cli_data.data)


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path), shell_complete=completion.folders)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plot(directory: Path, *, as_json: bool) -> None:
    """Draw the plots of a finished run again."""
    from zpfit.runs.drawing import draw_run
    from zpfit.runs.run_folder import PLOT_NAMES, RunFolder

    problems = draw_run(RunFolder(directory))
    if problems:
        raise InvalidInput(problems)
    drawn = [name for name in PLOT_NAMES if (directory / name).exists()]
    if as_json:
        print_json({"folder": str(directory), "files": drawn})
    else:
        click.echo(f"{directory}: drew {', '.join(drawn)}")


cli.add_command(report)


def _executor_choice(kind: str, workers: int | None, scheduler: str | None) -> ExecutorChoice:
    if scheduler is not None and kind != Kind.DASK:
        raise click.UsageError("--scheduler is the address of a Dask cluster: give --executor dask")
    if workers is not None and (scheduler is not None or kind in {Kind.HERE, Kind.MPI}):
        raise click.UsageError("--workers is for new processes: leave it out here")
    return ExecutorChoice(Kind(kind), workers, scheduler)


def _parse_changes(changes: Sequence[str]) -> dict[str, str]:
    return dict(_split(change, "--set") for change in changes)


def _parse_point(assignments: Sequence[str]) -> dict[str, float]:
    problems, point = [], {}
    for assignment in assignments:
        for word in assignment.split():
            name, text = _split(word, "--at")
            try:
                value = float(text)
            except ValueError:
                problems.append(f"--at {word}: {text!r} is no number")
                continue
            if name in point:
                problems.append(f"--at {word}: {name} is given twice")
            point[name] = value
    if problems:
        raise InvalidInput(problems)
    return point


def _split(assignment: str, option: str) -> tuple[str, str]:
    name, separator, value = assignment.partition("=")
    if not separator or not name or not value:
        raise InvalidInput([f"{option} {assignment}: write NAME=VALUE"])
    return name, value


cli.add_command(explore)
cli.add_command(cli_interfaces.export)
cli.add_command(cli_interfaces.schema)
cli.add_command(cli_interfaces.completion)


def main() -> None:
    """Entry point."""
    try:
        cli()
    except OSError as error:
        click.echo(f"error: {error.filename or ''}: {error.strerror or error}", err=True)
        sys.exit(2)
