"""``zpfit explore``: a page with sliders."""

import click


@click.command()
@click.argument("source", metavar="[SET]", default="today_cs")
@click.option("--model", "model_text", metavar="NAME", help="A model [effective, or the run's].")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="any that is free",
    help="Where to listen on this machine.",
)
@click.option("--no-browser", is_flag=True, help="Print the address and leave it at that.")
def explore(source: str, *, model_text: str | None, port: int, no_browser: bool) -> None:
    """A local page with sliders: move a point, see every prediction, pull and exclusion.

    SET is a likelihood set [today_cs], or a run file, a named run or a run folder: sliders then
    have its priors and begin at its best fit. Only this machine can reach the page; Ctrl+C ends it.

    \b
    zpfit explore
    zpfit explore paper_2021_cs --model nhdm_u1
    zpfit explore today_rb --model "{name: B-L, options: {mass: zS_vS}}" --port 8000
    zpfit explore output/quickstart
    """
    from zpfit.pages.explore.app import application
    from zpfit.pages.explore.server import open_browser, serve
    from zpfit.pages.explore.workbench import open_workbench

    bench = open_workbench(source, model_text)

    def ready(address: str) -> None:
        click.echo(f"{address} (Ctrl+C ends it)")
        if not no_browser:
            open_browser(address)

    serve(application(bench), port, ready)
    click.echo("stopped", err=True)
