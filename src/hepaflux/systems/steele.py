"""Steele's equation: appearance of glucose from an enrichment and its slope, in one pool.

A cross-check of the models that have a tracer, not a preparation of data: the slope of measured
enrichments carries their error, and one pool cannot follow quick changes. In a steady state it is
exact whatever the number of pools.
"""

import numpy as np
import numpy.typing as npt

VOLUME = 0.16
"""Effective glucose volume pV in L/kg, 0.65 of a distribution volume of about 0.25 L/kg. A usual
choice; recovery of infused glucose asks for 0.23 and more (Livesey 1998, Am J Physiol 275:E717)."""


def steele(
    time: npt.ArrayLike,
    enrichment: npt.ArrayLike,
    glucose: npt.ArrayLike,
    *,
    tracer: npt.ArrayLike,
    infused: npt.ArrayLike = 0.0,
    volume: float = VOLUME,
) -> np.ndarray:
    """Return endogenous glucose production by Steele's equation.

    The tracee of one well-mixed pool appears at Ra = (F - pV C dTTR/dt) / TTR, where C is its
    concentration (Steele 1959, Ann N Y Acad Sci 82:420; in tracer-to-tracee ratios). Production is
    Ra less what was infused unlabeled. With a labeled infusate ("hot GINF") its label counts in F:
    of an infusate at rate GIR and ratio r these are GIR r / (1 + r) in ``tracer`` and
    GIR / (1 + r) in ``infused``.

    Parameters
    ----------
    time : array (time,), min
        Increasing; slopes are second-order differences.
    enrichment : array (time,), TTR
        Tracer over all other glucose.
    glucose : array (time,), mmol/L
        All glucose, labeled or not.
    tracer, infused : float or array (time,), mmol/kg/min
        Rates at which tracer, and glucose without it, are infused.
    volume : float, L/kg
        Effective volume pV.

    Returns
    -------
    array (time,), mmol/kg/min

    Raises
    ------
    ValueError
        If there are fewer than two samples, which have no slope, or times do not increase.
    """
    minutes = np.asarray(time, dtype=float)
    if minutes.size < 2 or np.any(np.diff(minutes) <= 0):
        raise ValueError("Steele's equation needs two samples or more at increasing times")
    ratio = np.asarray(enrichment, dtype=float)
    tracee = np.asarray(glucose, dtype=float) / (1 + ratio)
    if ratio.size > 2:
        slope = np.gradient(ratio, minutes, edge_order=2)
    else:
        slope = np.gradient(ratio, minutes)
    appearance = (np.asarray(tracer, dtype=float) - volume * tracee * slope) / ratio
    return appearance - np.asarray(infused, dtype=float)
