"""Command ``explore``: a page with sliders."""

import click


@click.command()
@click.argument("source", metavar="[SET]", default="today_cs")
@click.option("--model", "model_text", metavar="NAME", help="A model [effective, or the run's].")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="any free port",
    help="Port of the page on this machine.",
)
@click.option("--no-browser", is_flag=True, help="Print the address without opening a browser.")
def explore(source: str, *, model_text: str | None, port: int, no_browser: bool) -> None:
    """Open a page with sliders on this machine.

    Move a point, and see every prediction, pull and exclusion.

    SET is a likelihood set [today_cs], a run file, the name of a run, or a run folder. The sliders
    of a run have its priors and start at its best fit. Only this machine can reach the page. Press
    Ctrl+C to end it.

    \b
    zpfit explore
    zpfit explore paper_2021_cs --model nhdm_u1
    zpfit explore today_rb --model "{name: B-L, options: {mass: zS_vS}}" --port 8000
    zpfit explore output/quickstart
    """
    from zpfit.api.reports import explore as serve_page
    from zpfit.api.texts import given

    serve_page(
        source,
        model=None if model_text is None else given(model_text, "--model"),
        port=port,
        browser=not no_browser,
        ready=lambda address: click.echo(f"{address} (Ctrl+C ends it)"),
    )
    click.echo("stopped", err=True)
