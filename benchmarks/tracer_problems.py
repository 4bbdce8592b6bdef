"""Studies with tracers that no command simulates, for timing."""

import numpy as np

import hepaflux as hf
from hepaflux.study import Samples, Study, Subject


def ions(*, samples, newly_made=0.2, enrichment=0.06):
    """Return one subject with the three ions of methyl palmitate at many times."""
    time = np.arange(1.0, samples + 1.0) * 60
    system = hf.systems.mida
    value = system.outputs[0].value
    inputs = {i.name: np.ones(samples) for i in system.inputs}
    p = {parameter.name: 0.0 for parameter in system.parameters}
    p |= {"f": newly_made, "p": enrichment}
    record = lambda fields: type("Record", (), fields)()  # noqa: E731
    parts = [np.broadcast_to(v, samples) for v in value(None, record(p), record(inputs))]
    plain = np.full(samples, "none")
    names = system.outputs[0].analytes
    curves = {n: Samples(time, v, plain) for n, v in zip(names, parts, strict=True)}
    return Study("ions", (Subject("A", curves),))
