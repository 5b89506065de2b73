"""Pages and plots of finished work: :func:`report`, :func:`explore` and :func:`plot`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from zpfit.api.sources import folder_of
from zpfit.errors import InvalidInput
from zpfit.io.document import Given
from zpfit.runs.run_folder import RunFolder


def report(*folders: str | Path, output: str | Path | None = None, force: bool = False) -> Path:
    """Write an HTML page about runs, a comparison or a campaign.

    Nothing is fitted. The page is one file and can be read offline.

    Parameters
    ----------
    *folders
        Folders that ``fit``, ``compare`` and ``campaign`` have written.
    output
        The page. The default is ``NAME.html`` beside the folder NAME, and ``report.html`` in the
        current folder for several folders.
    force
        Replace an existing page.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InvalidInput
        No folder is given, or folders have problems; all are reported.
    WrongSuffix
        The name of the page does not end with .html.
    FilesExist
        The page exists and ``force`` is false.
    UnwritablePath
        The page cannot be written.

    Examples
    --------
    >>> import zpfit
    >>> zpfit.report("nowhere", output="page.pdf")
    Traceback (most recent call last):
    zpfit.errors.WrongSuffix: output page.pdf: the name must end with .html; choose another name
    """
    from zpfit.pages.report.write import write_report

    if not folders:
        raise InvalidInput(["folders: none is given; give at least one"])
    target = None if output is None else folder_of(output, "output")
    return write_report([folder_of(folder) for folder in folders], target, force=force)


def explore(
    source: str = "today_cs",
    *,
    model: str | Given | None = None,
    port: int = 0,
    browser: bool = True,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a page with sliders to this machine until SIGINT or SIGTERM.

    Parameters
    ----------
    source
        Name of a likelihood set or run, path of a run file, or run folder. The sliders of a run
        have its priors and start at its best fit.
    model
        Name of a model, or a mapping in YAML as in a run file; "effective" or that of the run by
        default.
    port
        Port from 1 to 65535; 0 for any free one.
    browser
        Open the page in a browser.
    ready
        Called with the address of the page when it can be opened.

    Raises
    ------
    UnknownName
        No set, run or model has this name.
    InvalidInput
        The run file or the model has problems.
    PortInUse
        Another program uses the port.
    MissingExtra
        The packages of the extra ``explore`` are not installed.

    Examples
    --------
    >>> import zpfit
    >>> zpfit.explore("today_sc")
    Traceback (most recent call last):
    zpfit.errors.UnknownName: unknown likelihood set or run 'today_sc'; did you mean 'today_cs'?
    """
    from zpfit.pages.explore.app import application
    from zpfit.pages.explore.catalogue import open_catalogue
    from zpfit.pages.explore.server import open_browser, serve

    text, place = (model.value, model.source.name) if isinstance(model, Given) else (model, "model")
    catalogue = open_catalogue(source, text, place)

    def begin(address: str) -> None:
        ready(address)
        if browser:
            open_browser(address)

    serve(application(catalogue), port, begin)


def plot(
    *folders: str | Path, style: Sequence[str | Path] = (), output: str | Path | None = None
) -> tuple[Path, ...]:
    """Draw the figures of folders again, from the records in them.

    Parameters
    ----------
    *folders
        Folders of any kind: run, exclusion, profile, limit, comparison, tension, toys, coverage
        or campaign.
    style
        Descriptions of the figures (.yaml), style sheets of matplotlib and names of its styles.
        Later ones prevail.
    output
        Draw all planes and limits over each other into this file (.png or .pdf).

    Returns
    -------
    tuple of Path
        The figures.

    Raises
    ------
    InvalidInput
        No folder is given, a description does not fit, or a plot failed.
    UnusableFolder
        There is no such folder, or it holds nothing that can be drawn.
    WrongSuffix
        The output is neither .png nor .pdf.
    UnwritablePath
        A file cannot be written.

    Examples
    --------
    >>> import zpfit
    >>> zpfit.plot()
    Traceback (most recent call last):
    zpfit.errors.InvalidInput: folders: none is given; give at least one
    """
    from zpfit.runs.figure_file import read_style
    from zpfit.runs.redrawing import draw_again, draw_overlay

    if not folders:
        raise InvalidInput(["folders: none is given; give at least one"])
    paths, chosen = [folder_of(folder) for folder in folders], read_style(style)
    if output is not None:
        return (draw_overlay(paths, folder_of(output, "output"), chosen),)
    return tuple(draw_again(*paths, style=chosen))


def plots_in(folder: str | Path) -> tuple[Path, ...]:
    """Return the plots that a run folder holds.

    Parameters
    ----------
    folder
        The run folder.

    Examples
    --------
    >>> plots_in("nowhere")
    ()
    """
    return tuple(RunFolder(folder_of(folder)).plots())
