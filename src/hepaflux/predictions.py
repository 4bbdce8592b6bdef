"""Predictions: the command that says what a treatment will do to those who were fitted.

It makes the same call as the library, ``predict_treatment``, for the people of a run.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hepaflux import terminal
from hepaflux.arguments import read_fitted, read_treatment
from hepaflux.terminal import told

if TYPE_CHECKING:
    import pandas as pd

TABLE, PICTURE = "treatments.csv", "treatments.png"
"""What is written."""


@told
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of table and figure.", show_default=False)
    ],
    treatment: Annotated[
        list[str],
        typer.Option(
            help="A treatment of the system, or values from time 0 on: NEFA_factor=0.8,"
            "DNL_factor=0.5. Repeatable, to compare.",
            show_default=False,
        ),
    ],
    days: Annotated[float, typer.Option(help="How long the treatment is followed.")] = 168.0,
    who: Annotated[
        str | None,
        typer.Option(help="A subject, or the typical person of a group.", show_default="everyone"),
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option(help="What is drawn. Repeatable.", show_default="every output"),
    ] = None,
    ci: Annotated[float, typer.Option(help="Probability inside the bands.")] = 0.9,
    seed: Annotated[int, typer.Option(help="Of the errors of measurements to come.")] = 1,
) -> None:
    """Predict the months under one treatment or several, with the bands that a fit leaves open."""
    import pandas as pd

    import hepaflux as hf
    from hepaflux.assess.treatments import plot_treatments, treatment_bands

    posterior = hf.load_run(run)
    system = read_fitted(posterior)
    how: dict[str, Any] = {"days": days, "who": who, "seed": seed}
    predicted = [
        hf.predict_treatment(posterior, system, treatment=read_treatment(text), **how)
        for text in treatment
    ]
    table = pd.concat([treatment_bands(tree, ci_prob=ci) for tree in predicted])
    drawn = quantity or [str(name) for name in predicted[0]["measured"].data_vars]
    figure = plot_treatments(predicted, drawn, ci_prob=ci)
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / TABLE, index=False, float_format="%.6g")
    figure.savefig(out / PICTURE, dpi=150)
    _show_end(table, drawn, ci)
    typer.echo(f"Table: {out / TABLE}\nFigure: {out / PICTURE}")


def _show_end(table: "pd.DataFrame", quantities: Sequence[str], ci: float) -> None:
    """Print where every treatment has led in the end."""
    last = table[(table["day"] == table["day"].max()) & table["quantity"].isin(quantities)]
    rows = [
        (
            row.subject,
            row.treatment,
            row.quantity,
            f"{row.median:.3g}",
            f"{row.lower:.3g} to {row.upper:.3g}",
            "" if row.unit == "1" else row.unit,
        )
        for row in last.itertuples()
    ]
    interval = f"{ci * 100:.3g} % interval"
    terminal.print_table(
        ("subject", "treatment", f"on day {last['day'].max():g}", "median", interval, "unit"), rows
    )
