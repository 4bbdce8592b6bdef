"""Hypotheses: a study of livers at rest becomes the model of one of several explanations.

All have the same unknowns and the same priors but for what the hypothesis says. People of a group
lie around a median of the group, by a spread that is learned, in the sensitivity of the wire to
glucose and in what drives lipogenesis; what is common to all livers is shared. Where the wire is
said to be intact, the prior holds the median of every group at that of health.
"""

import pymc as pm

from hepaflux.model.build import graph
from hepaflux.model.design import Design, Level
from hepaflux.model.recipe import Recipe, prepare
from hepaflux.study.study import Study
from hepaflux.systems.resting_liver import resting_liver
from hepaflux.systems.rivals import Hypothesis
from hepaflux.systems.system import System

BY_GROUP = ("w_L", "drive")
"""What differs between groups, beside what plasma holds."""


def system_of(hypothesis: Hypothesis) -> System:
    """Return the liver under a hypothesis."""
    return resting_liver.with_priors(**hypothesis.priors)


def design_of(hypothesis: Hypothesis, study: Study) -> Design:
    """Return which parameters are shared, vary around a median of their group, or are free."""
    levels: dict[str, Level] = {
        p.name: "subject" if p.name in BY_GROUP else "separate" if p.spread else "shared"
        for p in system_of(hypothesis).unknowns
    }
    return Design(levels=levels, by_group=len(study.groups) > 1)


def build_hypothesis(study: Study, hypothesis: Hypothesis) -> pm.Model:
    """Build the PyMC model of a study under a hypothesis; see ``build_model``.

    Parameters
    ----------
    study : Study
        Of at least two people, with insulin, glucose and fatty acids of plasma and any of
        production, newly made share, secretion and liver fat; first in the fasted state.
    hypothesis : Hypothesis
        From ``systems.rivals``.
    """
    return graph(recipe_of(study, hypothesis))


def recipe_of(study: Study, hypothesis: Hypothesis) -> Recipe:
    """Return what the model of a study under a hypothesis is built from."""
    return prepare(study, system_of(hypothesis), design=design_of(hypothesis, study))
