"""States of health of the fasting system: what is different in each, and who reported it.

Every state but the reference lists only what differs from it. Five of them differ in a single
cause: without it they are healthy.
"""

from hepaflux.systems.condition import Condition
from hepaflux.systems.fasting_values import (
    CHOSEN,
    DEFINED,
    HEALTHY,
    KONIG,
    MAGNUSSON,
    RECALLED,
    reported,
    unsure,
)

RESISTANT = f"{CHOSEN}: two to three times that of health, as is usually stated"
STARTS = f"{CHOSEN}: where the test begins"

IMPAIRED_CURVES = {
    **{"I_max": 613.3, "I_half": 7.69, "I_n": 3.59},
    **{"Gn_max": 135.0, "Gn_min": 46.6, "Gn_half": 3.5, "Gn_n": 6.48},
}
T2D_CURVES = {
    **{"I_max": 280.0, "I_half": 10.6, "I_n": 6.4},
    **{"Gn_max": 160.0, "Gn_min": 50.8, "Gn_half": 3.69, "Gn_n": 5.17},
    **{"E_max": 7500.0, "E_half": 2.48, "E_n": 6.06},
}

IMPAIRED = (
    reported(IMPAIRED_CURVES, KONIG)
    | unsure({"K_i": 200.0, "K_E": 350.0, "CL_I": 6e-3}, RESISTANT)
    | unsure({"GNG_4h": 6.0e-3}, f"{CHOSEN}: between health and diabetes")
    | unsure({"G_0": 5.6}, STARTS)
)
T2D = (
    reported(T2D_CURVES, KONIG)
    | reported({"Gly_4h": 129.0}, f"{MAGNUSSON}, read off its figure")
    | unsure({"K_i": 164.0, "K_E": 435.0, "CL_I": 5e-3}, RESISTANT)
    | unsure({"GNG_4h": 8.0e-3}, f"{CHOSEN}: with the switch it gives what {MAGNUSSON} found")
    | unsure({"V_GK": 0.18, "k_gs": 1.5}, f"{CHOSEN}: half of that of health")
    | unsure({"G_0": 8.0}, STARTS)
)
HHS = (
    {name: value for name, value in T2D.items() if name not in ("Gly_4h", "G_0")}
    | unsure({"beta_cells": 0.3}, f"{CHOSEN}: some insulin is left")
    | unsure({"K_i": 330.0, "K_E": 870.0}, f"{CHOSEN}: production resists the insulin that is left")
    | unsure({"CL": 0.15e-3, "CL_I": 1.2e-3}, f"{CHOSEN}: so does uptake")
    | unsure({"CL_renal": 0.05e-3}, f"{CHOSEN}: a dehydrated kidney filters little")
    | unsure({"G_0": 25.0}, STARTS)
)


def conditions() -> tuple[Condition, ...]:
    """Return the states of health, the reference first."""
    return (
        Condition("normal", "normal glucose tolerance", HEALTHY),
        Condition("impaired", "impaired glucose tolerance", IMPAIRED),
        Condition("t2d", "type 2 diabetes", T2D, weight=91.0),
        Condition(
            "t1d",
            "type 1 diabetes, from the last effect of insulin on",
            reported({"beta_cells": 0.0}, f"{DEFINED} undone: no insulin is secreted"),
        ),
        Condition("hhs", "hyperosmolar hyperglycemic state", HHS, weight=91.0),
        Condition(
            "insulinoma",
            "a tumor that secretes insulin whatever glucose is",
            unsure({"I_floor": 100.0}, f"{CHOSEN}: a few times what is seen at this glucose")
            | unsure({"G_0": 4.5}, STARTS),
        ),
        Condition(
            "von_gierke",
            "glycogen storage disease Ia: hardly any glucose-6-phosphatase",
            unsure({"g6pase": 0.05}, f"{RECALLED}; reports of what is left conflict"),
        ),
        Condition(
            "stress",
            "epinephrine of acute stress",
            unsure({"E_added": 3000.0}, f"{CHOSEN}: as in severe illness"),
        ),
        Condition(
            "glucagon_deficiency",
            "no glucagon",
            reported({"alpha_cells": 0.0}, f"{DEFINED} undone: no glucagon is secreted"),
        ),
    )
