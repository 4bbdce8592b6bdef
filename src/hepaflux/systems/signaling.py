"""Signaling: two wires of insulin, from its receptor to glucose and to fat, and what cuts one.

Insulin phosphorylates its receptor and IRS; PI3-kinase, PIP3 and Akt carry the signal to FoxO1
(gluconeogenesis in liver), GLUT4 (glucose uptake in muscle and fat) and PDE3B (lipolysis). Another
wire goes by mTORC1 to S6K1 and SREBP-1c (lipogenesis), a third by Ras to MAPK. Serine kinases,
which diacylglycerol, fatty acids, cytokines and S6K1 itself turn on, inhibit IRS. Whether the
second and third wire feel that is the selectivity lambda of each: 0 not at all, 1 as the first.

Assumes     insulin is known; cells are alike; shares of moieties, no numbers of molecules
            PIP3 is proportional to PI3-kinase, and the target genes follow their factors at once
Valid for   seconds to months (form=dynamic, by the implicit method), hours to months
            (form=quasi-steady)
"""

import functools
from typing import Any

from hepaflux.systems.receptor import resting_shares
from hepaflux.systems.signaling_arms import TISSUES, Tissue, usual_effector, usual_mtorc1
from hepaflux.systems.signaling_cell import Equations, Moment
from hepaflux.systems.signaling_readouts import BLANK, BLOT, SITE, SITE_BLANK, Readout, readouts
from hepaflux.systems.signaling_values import (
    MEANING,
    REFERENCES,
    conditions,
    leading,
    parameters,
)
from hepaflux.systems.system import (
    Arrow,
    Derived,
    Flux,
    Option,
    Output,
    Settings,
    System,
    default_settings,
)

EQUATIONS = (
    "free + surface + inside + returning = receptors:   bound = k_b I free,"
    "   k_b = (k_off + k_in) / (K_R (1 + k_in/k_off_in + k_in/k_back))",
    "dsurface/dt = bound - (k_off + k_in) surface,   dinside/dt = k_in surface - k_off_in inside,"
    "   dreturning/dt = k_off_in inside - k_back returning",
    "x = (surface + inside) / their share at endless insulin;  at rest x = receptors I / (I + K_R)",
    "dtyrosine/dt = k_Y (Y x competent / (1 + inhibited / K_c) - tyrosine)"
    " - (kappa + k_T) tyrosine",
    "dinhibited/dt = kappa (competent + tyrosine) - (rho + k_T (1 + delta)) inhibited,"
    "   kappa = load (rho + k_T (1 + delta)),   d(all)/dt = k_T (1 - all) - k_T delta inhibited",
    "load = r0 (1 + (g_PKC dPKC + g_JNK dJNK + g_IKK dIKK + g_S6K dS6K1)+),   d: above health",
    "PKC = DAG^2/(K_D^2 + DAG^2),   JNK = v/(1 + v),   v = w_TNF TNFa + w_IL6 IL6 + FFA^2/(K_U^2 +"
    " FFA^2),   IKK = w_TNF TNFa/(1 + w_TNF TNFa)",
    "m = tyrosine over that of health at x = 1;   dPIP3/dt = k_PIP3 (m - PIP3),"
    "   dAkt/dt = k_Akt (PIP3 (1 - Akt)/K_Akt - Akt)",
    "dE/dt = k_E (Akt^n/(Akt_half^n + Akt^n) - E) of GLUT4 and PDE3B; of FoxO1 1 less that",
    "dmTORC1/dt = k_M (nutrients z^n_M/(1 + z^n_M) - mTORC1),"
    "   z = ((1 - lambda_L) x + lambda_L m) / x(I_M),   dS6K1/dt = k_S6K (mTORC1 - S6K1)",
    "dSREBP/dt = (mTORC1 (1 + chi (substrate - 1)+) - SREBP) / tau_S",
    "dRas/dt = k_Ras ((1 - lambda_M) x + lambda_M m - Ras),"
    "   dMAPK/dt = k_MAPK (Ras (1 - MAPK)/K_MAPK - MAPK)",
)
"""As a reader would write them."""

INJECTED = (
    "I = r_P I_ref + injected,   dinjected/dt = -k_I injected,   injected(0) = I_peak   (in liver;"
    " elsewhere without r_P)",
)
"""What is added where insulin is injected."""

FLUXES = (
    ("receptor", "signal of the receptors over all of health at endless insulin"),
    ("IRS_signal", "signal of IRS, on the same scale"),
    ("IRS_able", "IRS that is not inhibited, over all of health"),
    ("IRS_inhibited", "inhibited IRS, over all of health"),
    ("kinase_load", "serine kinases over what removes their product"),
    ("Akt_active", "active share of Akt"),
    ("mTORC1_activity", "activity of mTORC1"),
    ("S6K1_activity", "activity of S6K1"),
    ("MAPK_active", "active share of MAPK"),
    ("lipogenic_drive", "signal that reaches mTORC1, on the scale of that of the receptors"),
    ("mitogenic_drive", "signal that reaches Ras, on the same scale"),
)
"""Name and meaning of what nobody measures as such, beside the effectors."""

ARROWS = {
    "receptor": ("receptor", "IRS", False),
    "IRS_signal": ("IRS", "Akt", False),
    "kinase_load": ("serine kinases", "IRS", True),
    "lipogenic_drive": ("receptor", "mTORC1", False),
    "mitogenic_drive": ("receptor", "MAPK", False),
    "S6K1_activity": ("mTORC1", "serine kinases", False),
    "mTORC1_activity": ("mTORC1", "SREBP-1c", False),
    "lipogenesis": ("SREBP-1c", "new fat", False),
    "MAPK_active": ("MAPK", "growth", False),
    "Akt_active": ("Akt", "FoxO1", True),
    "FoxO1_effect": ("FoxO1", "glucose production", False),
    "GLUT4_effect": ("Akt", "glucose uptake", False),
    "PDE3B_effect": ("Akt", "lipolysis", True),
}
"""By the name of a flux from where it goes to where, and whether it lowers what is there."""


def arrow(equations: Equations, tissue: Tissue, name: str) -> Arrow | None:
    """Return where a flux of a tissue stands in a diagram."""
    source, target, lowers = ARROWS.get(name, ("", "", False))
    if not source or (target == "FoxO1" and target not in tissue.effectors):
        return None
    return Arrow(equations.named(tissue, source), equations.named(tissue, target), lowers)


def fluxes(equations: Equations) -> tuple[Flux, ...]:
    """Return what nobody measures as such, tissue by tissue."""

    def at(tissue: Tissue, name: str, meaning: str) -> Flux:
        def value(y: Any, p: Any, u: Any) -> Any:
            return read(equations.moment(tissue, y, p, u), tissue, p)[name]

        words = (equations.named(tissue, name), "1", f"{meaning}, {tissue.name}")
        return Flux(*words, value, arrow(equations, tissue, name))

    def lipogenesis(tissue: Tissue) -> Flux:
        return Flux(
            equations.named(tissue, "lipogenesis"),
            "1",
            "lipogenesis over that of health at usual insulin",
            lambda y, p, u: (
                equations.srebp(tissue, y) / usual_mtorc1(equations.usual(tissue, p), p)
            ),
            arrow(equations, tissue, "lipogenesis"),
        )

    found = []
    for tissue in equations.tissues:
        found += [at(tissue, name, meaning) for name, meaning in FLUXES]
        found += [at(tissue, f"{name}_effect", MEANING[name]) for name in tissue.effectors]
        found += [lipogenesis(tissue)] if tissue.is_lipogenic else []
    return tuple(found)


def signals(equations: Equations) -> tuple[Flux, ...]:
    """Return by what it can drive another system, beside its fluxes: effectors over health."""

    def over_health(tissue: Tissue, name: str, *, off: bool = False) -> Any:
        def value(y: Any, p: Any, u: Any) -> Any:
            now = read(equations.moment(tissue, y, p, u), tissue, p)[f"{name}_effect"]
            usual = usual_effector(name, equations.usual(tissue, p), p)
            return (1 - now) / (1 - usual) if off else now / usual

        return value

    found = []
    for tissue in equations.tissues:
        named = functools.partial(equations.named, tissue)
        found += [
            Flux(named(f"{n}_drive"), "1", f"{MEANING[n]}, over health", over_health(tissue, n))
            for n in tissue.effectors
        ]
        if tissue.is_lipogenic:
            kept_out = over_health(tissue, "FoxO1", off=True)
            meaning = "FoxO1 that insulin keeps out of the nucleus, over health"
            found.append(Flux(named("insulin_drive"), "1", meaning, kept_out))
    return tuple(found)


def read(moment: Moment, tissue: Tissue, p: Any) -> dict[str, Any]:
    """Return what is known of a tissue by the names of the fluxes."""
    effects = zip(tissue.effectors, moment.arms.effectors, strict=True)
    return {
        "receptor": moment.drive.receptor,
        "IRS_signal": moment.drive.metabolic,
        "IRS_able": moment.able,
        "IRS_inhibited": moment.inhibited,
        "kinase_load": moment.load,
        "Akt_active": moment.arms.Akt,
        "mTORC1_activity": moment.arms.mTORC1,
        "S6K1_activity": moment.arms.S6K1,
        "MAPK_active": moment.arms.MAPK,
        "lipogenic_drive": moment.drive.past(p.lambda_L),
        "mitogenic_drive": moment.drive.past(p.lambda_M),
        **{f"{name}_effect": value for name, value in effects},
    }


def outputs(equations: Equations, settings: Settings) -> tuple[Output, ...]:
    """Return what blots or phosphosites tell, each in arbitrary units of its own."""
    tissue = equations.tissues[0]
    cv, floor = (SITE, SITE_BLANK) if settings["measured"] == "phosphosites" else (BLOT, BLANK)

    def of(name: str, one: Readout) -> Any:
        def value(y: Any, p: Any, u: Any) -> Any:
            known = read(equations.moment(tissue, y, p, u), tissue, p)[one.flux]
            return getattr(p, f"scale_{name}") * (getattr(p, one.background) + known)

        return value

    return tuple(
        Output(
            one.analyte,
            "arbitrary_unit",
            f"{one.meaning}, {tissue.name}",
            analyte=one.analyte,
            value=of(name, one),
            cv=cv,
            floor=floor,
            required=False,
        )
        for name, one in readouts(settings).items()
    )


OPTIONS = (
    Option(
        "form",
        "whether all that takes minutes is followed (dynamic) or at rest at every moment"
        " (quasi-steady)",
        default="dynamic",
        choices=("dynamic", "quasi-steady"),
    ),
    Option(
        "tissue",
        "which tissue: liver, muscle, fat, or all of them, of which liver is sampled",
        default="liver",
        choices=(*TISSUES, "all"),
    ),
    Option(
        "insulin",
        "where insulin is known: in plasma, linear between samples (the liver sees r_P times it),"
        " or in the medium of cells, which keeps each value until the next; or it is not, but was"
        " injected into the portal vein at time 0 (injected)",
        default="plasma",
        choices=("plasma", "medium", "injected"),
    ),
    Option(
        "stress",
        "what the load of serine kinases follows from: it is a parameter (load), or TNFa, IL6, FFA"
        " and DAG are (stated), or they follow from fat mass and fat cells (adipose), or another"
        " system of the same body drives them (driven)",
        default="load",
        choices=("load", "stated", "adipose", "driven"),
    ),
    Option(
        "unknowns",
        "which parameters are unknown beside the scales: load and selectivity, which people can"
        " tell (selectivity), the kinetics of receptor and IRS, which cells can tell (kinetics),"
        " those and what leads from an injection to Akt (cascade), or load, selectivity, kinetics"
        " and the half-points (all)",
        default="selectivity",
        choices=("selectivity", "kinetics", "cascade", "all"),
    ),
    Option(
        "measured",
        "what is measured: blots of whole proteins, or phosphosites over basal, each with a"
        " background of its own",
        default="blots",
        choices=("blots", "phosphosites"),
    ),
)


def derived(settings: Settings) -> tuple[Derived, ...]:
    """Return what follows from the load, where that is unknown."""
    if settings["stress"] != "load" or settings["unknowns"] in ("kinetics", "cascade"):
        return ()
    return (
        Derived(
            "IRS_left",
            "1",
            "IRS that is not inhibited at rest, over that of health",
            lambda p, u: resting_shares(p.load, p)[0] / resting_shares(p.r0, p)[0],
        ),
        Derived(
            "inhibition",
            "1",
            "inhibited IRS at rest, over that of health",
            lambda p, u: resting_shares(p.load, p)[1] / resting_shares(p.r0, p)[1],
        ),
    )


def declare(settings: Settings) -> System:
    """Declare signaling under the given options."""
    equations = Equations(settings)
    return System(
        name="signaling",
        title="Insulin signaling: the wire to glucose, the wire to fat, and what inhibits IRS",
        equations=(*EQUATIONS, *(INJECTED if equations.injected else ())),
        references=REFERENCES,
        states=equations.states(),
        parameters=parameters(settings, equations.tissues),
        inputs=equations.inputs(),
        outputs=() if settings["stress"] == "driven" else outputs(equations, settings),
        derived=derived(settings),
        fluxes=fluxes(equations),
        signals=signals(equations),
        rhs=equations.rhs,
        initial=equations.initial,
        leading=leading(settings),
        conditions=conditions(),
        options=OPTIONS,
        settings=settings,
        declare=declare,
        begin=0.0 if equations.injected else float("inf"),
        integrator="implicit" if settings["form"] == "dynamic" else "explicit",
        conventions=(
            "Everything but insulin is relative: shares of moieties, activities, and surroundings"
            " over those of health. Blots have a scale of their own per study.",
            "Usual insulin (I_ref) is what the tissue sees in a healthy fast; the liver sees r_P"
            " times what a vein of the arm holds.",
            "lambda_L and lambda_M are the selectivity of the lipogenic and of the mitogenic arm:"
            " 0 not touched by inhibited IRS, 1 as much as the metabolic arm.",
            "The test begins at rest at the first insulin, under the load of the state of health.",
        ),
    )


signaling = declare(default_settings(OPTIONS))
