"""Virtual subjects with known inputs, for tests of every floor above the study."""

from dataclasses import replace

import numpy as np

from hepaflux.study.study import Dose, Samples, Study, Subject
from hepaflux.units import BLOTS

IVGTT = np.array([0, 2, 4, 8, 10, 14, 19, 22, 27, 32, 42, 52, 62, 82, 102, 122, 142, 182.0])
OGTT = np.array([0, 10, 20, 30, 45, 60, 90, 120, 150, 180.0])

TRUTH = {
    "minimal": {"SI": 6e-5, "SG": 0.02, "p2": 0.03, "V": 0.17},
    "oral": {
        "SI": 1.1e-4,
        "SG": 0.026,
        "p2": 0.013,
        "V": 0.15,
        "absorption": np.array([0.06, 0.2, 0.19, 0.16, 0.15, 0.24]),
    },
}
"""One plausible set of parameters of each system; the knots of ``oral`` are those of ``OGTT``."""


def samples(time, value, censoring="none"):
    time = np.asarray(time, dtype=float)
    return Samples(time, np.broadcast_to(value, time.shape), np.broadcast_to(censoring, time.shape))


def insulin(time, *, basal=45.0, size=1.0):
    since = np.maximum(time, 0.0)
    early, late = since / 4.0, since / 40.0
    shape = 300 * early**2 * np.exp(2 * (1 - early)) + 180 * late**2 * np.exp(2 * (1 - late))
    return basal + size * shape


def ivgtt(name="S1", *, time=IVGTT, glucose=None, size=1.0, **fields):
    """A subject with an intravenous bolus at 0; glucose falls from 15 if it is not given."""
    value = 5.0 + 10 * np.exp(-0.03 * time) * (time > 0) if glucose is None else glucose
    fields = {"doses": (Dose(0.0, "glucose", 1.7, "intravenous", per_kg=True),), **fields}
    curves = {"glucose": samples(time, value), "insulin": samples(time, insulin(time, size=size))}
    return Subject(name, curves, **fields)


def ogtt(name="S1", *, time=OGTT, glucose=None, size=1.0, **fields):
    """A subject who drinks 75 g of glucose at 0."""
    value = 5.0 + 3 * time / 45 * np.exp(1 - time / 45) if glucose is None else glucose
    fields = {"doses": (Dose(0.0, "glucose", 416.3, "oral"),), "weight": 72.0, **fields}
    curves = {"glucose": samples(time, value), "insulin": samples(time, insulin(time, size=size))}
    return Subject(name, curves, **fields)


LABELED = np.array([-30, 0, 10, 20, 30, 45, 60, 90, 120, 150, 180, 240, 300.0])


def labeled_meal(name="S1", *, tracers=("meal_tracer",), time=LABELED, **fields):
    """A subject who drinks 1 g/kg of glucose at 0, with any of three tracers.

    The ``ra_tracer`` is infused as the meal is thought to appear, in steps.
    """
    doses = [Dose(0.0, "glucose", 5.55, "oral", per_kg=True)]
    curves = {"glucose": samples(time, 5.0), "insulin": samples(time, insulin(time))}
    if "meal_tracer" in tracers:
        doses.append(Dose(0.0, "meal_tracer", 0.04 * 5.55, "oral", per_kg=True))
        curves["meal_enrichment"] = samples(time[time > 0], 0.02)
    if "egp_tracer" in tracers:
        whole = 0.00022 * (180 + time[-1])
        doses.append(Dose(-180.0, "egp_tracer", 0.0222, "intravenous", per_kg=True))
        length = 180.0 + time[-1]
        doses.append(Dose(-180.0, "egp_tracer", whole, "intravenous", length, per_kg=True))
        curves["egp_enrichment"] = samples(time, 0.02)
    if "ra_tracer" in tracers:
        for start, length, rate in (
            (0, 30, 6e-4),
            (30, 60, 9e-4),
            (90, 90, 5e-4),
            (180, 120, 2e-4),
        ):
            dose = Dose(
                float(start), "ra_tracer", rate * length, "intravenous", length, per_kg=True
            )
            doses.append(dose)
        curves["ra_enrichment"] = samples(time[time > 0], 0.02)
    doses.sort(key=lambda dose: dose.time)
    return Subject(name, curves, **{"doses": tuple(doses), **fields})


def labeled_ivgtt(name="S1", *, time=IVGTT, glucose=None, **fields):
    """A subject with a labeled intravenous bolus at 0."""
    bolus = Dose(0.0, "egp_tracer", 0.165, "intravenous", per_kg=True)
    subject = ivgtt(name, time=time, glucose=glucose, **fields)
    curves = {**subject.samples, "egp_enrichment": samples(time[time > 0], 0.1)}
    return Subject(name, curves, (*subject.doses, bolus))


CLAMP = np.arange(-20, 361, 20.0)
CLAMP_STEPS = ((0.0, 120.0, 80.0, 0.007), (120.0, 240.0, 240.0, 0.025), (240.0, 360.0, 800.0, 0.05))
"""Begin, end, rise of insulin (pmol/L) and glucose infusion (mmol/kg/min) of each step."""


def clamp_doses(*, label=0.018, glucose=True, prime=0.018, until=360.0):
    """A primed tracer infusion from -180 min, insulin, and glucose in steps with its label."""

    def infusion(what, rate, begin, end):
        return Dose(begin, what, rate * (end - begin), "intravenous", end - begin, per_kg=True)

    doses = [infusion("egp_tracer", 2e-4, -180.0, until), infusion("insulin", 6.0, 0.0, 360.0)]
    if prime:
        doses.append(Dose(-180.0, "egp_tracer", prime, "intravenous", per_kg=True))
    for begin, end, _, rate in CLAMP_STEPS if glucose else ():
        doses.append(infusion("glucose", rate, begin + 20, end))
        if label:
            doses.append(infusion("egp_tracer", label * rate, begin + 20, end))
    return tuple(sorted(doses, key=lambda dose: dose.time))


def clamp_insulin(time, *, basal=50.0):
    """Insulin of the three steps, each reached within 20 min."""
    edges = [
        (t, level) for a, b, level, _ in CLAMP_STEPS for t, level in ((a + 20, level), (b, level))
    ]
    times, levels = zip((0.0, 0.0), *edges, strict=True)
    return basal + np.interp(time, times, levels)


def clamped(name="S1", *, time=CLAMP, ffa=True, **doses):
    """A subject in a three-step clamp, with tracer and free fatty acids."""
    curves = {
        "glucose": samples(time, 5.0),
        "insulin": samples(CLAMP, clamp_insulin(CLAMP)),
        "egp_enrichment": samples(time, 0.02),
    }
    if ffa:
        curves["ffa"] = samples(time, 0.5)
    return Subject(name, curves, clamp_doses(**doses))


LIPOGENESIS = 60 * np.array([2, 4, 6, 9, 12, 18, 24.0])


def ions(name="S1", *, water=False, time=LIPOGENESIS, **fields):
    """A subject whose palmitate was sampled, in heavy water from time 0 on or not."""
    natural = {"palmitate_m0": 0.82, "palmitate_m1": 0.16, "palmitate_m2": 0.02}
    curves = {analyte: samples(time, share) for analyte, share in natural.items()}
    if water:
        curves["body_water"] = samples([0, 180, 1440], np.array([0, 0.005, 0.0045]))
    return Subject(name, curves, **fields)


def heavy_water(name="S1", **fields):
    """A subject who drank heavy water at time 0."""
    return ions(name, water=True, **fields)


VLDL = 60 * np.array([0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12])


def vldl_bolus(name="S1", *, time=VLDL, doses=None, **curves):
    """A subject with a bolus of labeled glycerol at time 0, VLDL sampled for half a day."""
    bolus = Dose(0.0, "vldl_tracer", 0.075, "intravenous", per_kg=True)
    curves = {
        "vldl_enrichment": samples(time, 0.02),
        "vldl_tg": samples([0, 360, 720], 0.4),
        **curves,
    }
    return Subject(name, curves, (bolus,) if doses is None else doses, weight=80.0)


def vldl_person(name="S1", **fields):
    """The same with what else is measured in a study of liver fat."""
    single = {"dnl_fraction": samples([720], 0.15), "ihtg": samples([0], 0.08)}
    return vldl_bolus(name, **single, **fields)


def labeled_sources(name="S1", *, time=(1200, 1320, 1440), **values):
    """A subject with three labels, each measured in its precursor and in VLDL."""
    values = {
        "nefa_precursor": 0.06,
        "nefa_product": 0.03,
        "dnl_precursor": 0.2,
        "dnl_product": 0.04,
        "diet_precursor": 0.1,
        "diet_product": 0.01,
        **values,
    }
    return Subject(name, {f"{k}_enrichment": samples(time, v) for k, v in values.items()})


KINETIC = {"age": 40.0, "sex": 1.0, "height": 176.0}
"""What the kinetics of C-peptide depend on beside weight."""


def c_peptide_test(
    name="S1",
    *,
    time=OGTT,
    glucose=None,
    insulin=200.0,
    covariates=None,
    more=None,
    **fields,
):
    """A subject whose glucose and C-peptide were sampled after a drink of 75 g of glucose."""
    subject = ogtt(name, time=time, glucose=glucose, **fields)
    since = np.maximum(time, 0.0) / 75
    curves = {
        "glucose": subject.samples["glucose"],
        "c_peptide": samples(time, 0.5 + 1.8 * since * np.exp(1 - since)),
    }
    if insulin is not None:
        curves["insulin"] = samples(time, insulin)
    known = {**(KINETIC if covariates is None else covariates), **(more or {})}
    return replace(subject, samples=curves, covariates=known)


FAST = 60.0 * np.array([4, 6, 9, 12, 16, 22, 28])


def fasted(name="S1", *, time=FAST, **fields):
    """A subject who fasts for more than a day; times count from the last meal."""
    curves = {
        "glucose": samples(time, 4.8),
        "insulin": samples(time, 50.0),
        "liver_glycogen": samples(time, 380 * np.exp(-0.05 * (time / 60 - 4))),
        "egp": samples(time[1:], 0.0095),
        "gng_fraction": samples(time[1:], 0.6),
    }
    return Subject(name, curves, **fields)


BLOTTED = np.array([0, 2, 5, 10, 30, 60, 65, 90, 120.0])


def biopsied(name="S1", *, time=BLOTTED, **fields):
    """A subject whose tissue was blotted while insulin was raised in two steps."""
    curves = {blot: samples(time, 30.0) for blot in BLOTS}
    curves["insulin"] = samples([0, 5, 60, 65, 120], np.array([40, 200, 200, 1500, 1500.0]))
    return Subject(name, curves, **fields)


MONTHS = 1440.0 * np.array([0, 7, 28, 84])


def treated(name="S1", *, time=MONTHS, **fields):
    """A subject whose liver fat was followed under treatment."""
    levels = {"ihtg": 0.05, "plasma_tg": 1.6, "vldl_tg_secretion": 17.0, "dnl_fraction": 0.15}
    return Subject(name, {k: samples(time, v) for k, v in levels.items()}, **fields)


def driven(name="S1", *, time=MONTHS, **fields):
    """A subject of whom the slow loop was followed."""
    levels = {"glucose": 5.2, "insulin": 60.0, "egp": 0.0115, "ihtg": 0.06}
    levels |= {"vldl_tg_secretion": 21.0, "dnl_fraction": 0.17}
    return Subject(name, {k: samples(time, v) for k, v in levels.items()}, **fields)


STEPS = np.array([0, 240, 480.0])


def resting(name="S1", *, time=STEPS, **fields):
    """A subject whose liver was measured fasted and at the ends of two steps of a clamp."""
    curves = {
        "insulin": samples(time, np.array([60, 150, 500.0])),
        "glucose": samples(time, 5.2),
        "ffa": samples(time, np.array([0.5, 0.25, 0.1])),
        "egp": samples(time, np.array([0.011, 0.006, 0.003])),
        "dnl_fraction": samples(time, np.array([0.12, 0.2, 0.3])),
        "vldl_tg_secretion": samples(time[:1], 18.0),
        "ihtg": samples(time[:1], 0.05),
    }
    return Subject(name, curves, **fields)


def subject_for(system, name="S1", **fields):
    kinds = {"minimal": ivgtt, "oral": ogtt, "oral_labeled": labeled_meal}
    kinds |= {"ivgtt_labeled": labeled_ivgtt, "clamp": clamped}
    kinds |= {"mida": ions, "heavy_water": heavy_water}
    kinds |= {"vldl": vldl_person, "sources": labeled_sources, "meal": ogtt}
    kinds |= {"secretion": c_peptide_test, "extraction": c_peptide_test}
    kinds |= {"fasting": fasted, "signaling": biopsied, "liver_fat": treated}
    kinds |= {"selective_resistance": driven, "resting_liver": resting}
    return kinds[system.name](name, **fields)


def study_of(*subjects):
    return Study("test", tuple(subjects))


def adapted(system, subject=None):
    """The system with the knots of a subject's protocol."""
    return system.for_study(study_of(subject or subject_for(system)))


def prior_draw(system, rng):
    """One draw of a system's unknowns from their priors."""
    draws = {}
    for parameter in system.unknowns:
        value = parameter.prior.distribution().rvs(random_state=rng)
        draws[parameter.name] = np.asarray(value)[0] if parameter.axis else float(value)
    return draws
