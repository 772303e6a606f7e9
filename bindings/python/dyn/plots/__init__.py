# SPDX-License-Identifier: BSD-3-Clause
"""Figures in the form the papers use: loss and sharpness over one time axis, maps of cosines, orientations, spectra.

plot(run) draws all that was measured, plot(sweep) what became of many, animate(run) the condensation as it goes on. The
other functions draw one thing into given axes."""
from .curves import (
    accuracy, attention, curvature, directions, factors, kronecker, loss, ranks, series, sharpness, tangent)
from .functions import density, output, spectrum
from .landscapes import chains, landscape, path
from .maps import animate, cosines, orientations
from .minima import branches, inertia, observed, table
from .papers import frequencies, regimes, states
from .phases import levels, phase, plateaus
from .spectra import central, eigenvalues, layers
from .sweeps import bands, heat, histories
from .whole import plot

__all__ = [
    "accuracy", "animate", "attention", "bands", "branches", "central", "chains", "cosines", "curvature", "density",
    "directions", "eigenvalues", "factors", "frequencies", "heat", "histories", "inertia", "kronecker", "landscape",
    "layers", "levels", "loss", "observed", "orientations", "output", "path", "phase", "plateaus", "plot", "ranks",
    "regimes", "series", "sharpness", "spectrum", "states", "table", "tangent"]
