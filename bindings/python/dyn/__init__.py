# SPDX-License-Identifier: BSD-3-Clause
"""dyn: train neural networks on the CPU and measure them while they train.

    import dyn
    x, y = dyn.data.digits()
    net = dyn.mlp([64, 100, 100, 10], activation="tanh", seed=1)
    run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.Adam(1e-3))
    run.measure(dyn.Sharpness(k=3), every=20)
    run.train(steps=2000)
    dyn.plot(run)

Arrays are NumPy arrays. theta is the vector of all parameters, float64."""
from typing import TYPE_CHECKING, Any

from . import branches, completion, data, degenerate, frequency, functions, init, nilpotent, recovery
from ._find import VERSION as __version__
from ._run_view import Cost, History, RunView, Series, State
from .condensation import CondensationResult, condensation, data_direction
from .build import Build, derivative, normal_like, residual, uniform_like
from .central import CentralFlow, central_flow
from .context import Context, checkpoint_numerics, current
from .eigen import Eigenpairs, eigh, memory_of_eigh, singular_values
from .episodes import Confusion, Episodes, above, loss_histogram, plateaus, spikes, sustained
from .embed import deepen, linearity, merge_layer, merge_neurons, null, split, widen
from .episodes import Confusion, Episodes, above, spikes, sustained
from .equations import Map, Solution, exponential, kronecker, log_determinant, low_rank, solve, spectral_sum
from .exchange import from_torch
from .errors import (
    CallbackError, DtypeError, Error, FileError, FormatError, InvalidArgument, LimitReached, NonFinite, NotConverged,
    NotSupported, OutOfMemory, ShapeError, StateError, VersionError)
from .families import (
    cnn, diagonal, factorisation, gpt, llama, polynomial, recurrent, resnet, tensor_factorisation, transformer, vgg)
from .graph import (
    Function, Graph, Node, abs, activation, concatenate, cos, erf, exp, expm1, identity, log, log1p, logsumexp,
    maximum, minimum, relu, sigmoid, sign, sin, softplus, sqrt, stack, stop_gradient, tanh, where)
from .inertia import Inertia, inertia
from .kfac import KFAC, KFACLayer, empirical_fisher, kfac
from .landscapes import (
    EigenvalueGradient, LearningCoefficient, Path, Plane, Slice, barrier, connect, direction, eigenvalue_gradient,
    landscape, learning_coefficient, overlap, path_objective, space_shares, trajectory_plane)
from .layers import (
    adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, adaptive_max_pool1d, adaptive_max_pool2d,
    adaptive_max_pool3d, arange, avg_pool1d, avg_pool2d, avg_pool3d, batch_norm, causal_mask, conv1d, conv2d, conv3d,
    conv_transpose1d, conv_transpose2d, conv_transpose3d, dropout, dropout_variance, embedding, feed_forward,
    group_norm, gru, layer_norm, linear, log_softmax, lstm, max_pool1d, max_pool2d, max_pool3d, merge_heads, rms_norm, rnn, rotary,
    scaled_dot_product_attention, sinusoidal, softmax, split_heads)
from .logs import TensorBoard
from .measure import (
    Condensation, CondensationSeries, Measurement, ModelRank, RankSeries, Sharpness, SharpnessSeries)
from .minimise import Flow, Minimum, Monotone, NewtonCG, flow, langevin, minimise
from .model import Indices, Model, Tensor, mlp
from .objective import Check, Noise, Objective, frozen, ggn, hessian, jacobian, shared
from .onnx import to_onnx
from .operator import Density, Estimate, Operator
from .optim import (
    GD, LBFGS, Adadelta, Adagrad, Adam, Adamax, AdamW, HeavyBall, Lion, Muon, NAdam, Nesterov, Optimizer, Rate, RMSprop,
    Rule, SignGD, Sophia, Stepper, constant, cosine, cosine_restarts, exponential_decay, one_cycle, polynomial_decay, schedule,
    step)
from .phase import Slope, centred_targets, crossings, loglog_slope, regime, relative_distance
from .rank import RankResult, matrix_rank, model_rank, operator_rank
from .replicas import Replica, Replicas
from .run import Run
from .tangent import Linearised, TangentKernel, TangentKernelSeries, kernel_alignment, kernel_fit, tangent_kernel
from .sweeps import Member, Sweep
from .attention import (
    Attention, AttentionSeries, broadcast_score, kernel_score, matching_kernel, matching_score, rollout, shift_score)
from .exchange_jax import from_jax
from .guests import jax_objective, torch_objective
from .spectrum import (
    Bulk, CurvatureParts, Kronecker, KroneckerSeries, Spectrum, SpectrumSeries, bulk, curvature_parts,
    effective_dimension, frobenius_norm, kink_share, layer_spectra, negative_share, stable_rank)
from .symmetry import Matched, Projection, match_units, permute_units, random_projection

if TYPE_CHECKING:
    from . import plots
    from ._report import report
    from .plots import plot

__all__ = [
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Attention", "AttentionSeries", "Build", "Bulk",
    "CallbackError", "CentralFlow", "Check", "Condensation", "CondensationResult", "CondensationSeries",
    "Confusion", "Context", "Cost", "CurvatureParts", "Density", "DtypeError", "Eigenpairs", "EigenvalueGradient",
    "Episodes", "Error", "Estimate", "FileError", "Flow", "FormatError", "Function", "GD", "Graph", "HeavyBall",
    "History", "Indices", "Inertia", "InvalidArgument", "KFAC", "KFACLayer", "Kronecker", "KroneckerSeries",
    "LBFGS", "LearningCoefficient", "LimitReached", "Linearised", "Lion", "Matched", "Measurement", "Member",
    "Minimum", "Model", "ModelRank", "Monotone", "Muon", "NAdam", "Nesterov", "NewtonCG", "Node", "Noise",
    "NonFinite", "NotConverged", "NotSupported", "Objective", "Operator", "Optimizer", "OutOfMemory", "Path",
    "Plane", "Projection", "RMSprop", "RankResult", "RankSeries", "Rate", "Replica", "Replicas", "Rule", "Run",
    "RunView", "Series", "ShapeError", "Sharpness", "SharpnessSeries", "SignGD", "Slice", "Slope", "Sophia",
    "Spectrum", "SpectrumSeries", "State", "StateError", "Stepper", "Sweep", "TangentKernel", "TangentKernelSeries",
    "Tensor", "TensorBoard", "VersionError", "__version__", "above", "abs", "activation", "adaptive_avg_pool1d",
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "arange", "avg_pool1d", "avg_pool2d", "avg_pool3d", "barrier", "batch_norm", "branches",
    "broadcast_score", "bulk", "causal_mask", "central_flow", "centred_targets", "checkpoint_numerics", "cnn",
    "completion", "concatenate", "condensation", "connect", "constant", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cos", "cosine", "cosine_restarts", "crossings",
    "current", "curvature_parts", "data", "data_direction", "deepen", "degenerate", "derivative", "diagonal",
    "direction", "dropout", "dropout_variance", "effective_dimension", "eigenvalue_gradient", "eigh", "embedding",
    "empirical_fisher", "erf", "exp", "expm1", "exponential_decay", "factorisation", "feed_forward", "flow",
    "frequency", "frobenius_norm", "from_jax", "from_torch", "frozen", "functions", "ggn", "gpt", "group_norm",
    "gru", "guests", "hessian", "identity", "inertia", "init", "jacobian", "jax_objective", "kernel_alignment",
    "kernel_fit", "kernel_score", "kfac", "kink_share", "landscape", "langevin", "layer_norm", "layer_spectra",
    "learning_coefficient", "linear", "linearity", "llama", "log", "log1p", "log_softmax", "loglog_slope",
    "logsumexp", "loss_histogram", "lstm", "match_units", "matching_kernel", "matching_score", "matrix_rank",
    "max_pool1d", "max_pool2d", "max_pool3d", "maximum", "memory_of_eigh", "merge_heads", "merge_layer",
    "merge_neurons", "minimise", "minimum", "mlp", "model_rank", "negative_share", "nilpotent", "normal_like",
    "null", "one_cycle", "operator_rank", "overlap", "path_objective", "permute_units", "plateaus", "plot", "plots",
    "polynomial", "polynomial_decay", "random_projection", "recovery", "recurrent", "regime", "relative_distance",
    "relu", "report", "residual", "resnet", "rms_norm", "rnn", "rollout", "rotary", "scaled_dot_product_attention",
    "schedule", "shared", "shift_score", "sigmoid", "sign", "sin", "singular_values", "sinusoidal", "softmax",
    "softplus", "space_shares", "spikes", "split", "split_heads", "sqrt", "stable_rank", "stack", "step",
    "stop_gradient", "sustained", "tangent_kernel", "tanh", "tensor_factorisation", "to_onnx", "torch_objective",
    "trajectory_plane", "transformer", "uniform_like", "vgg", "where", "widen"]


def __getattr__(name: str) -> Any:
    """plot, plots and report, which need matplotlib, are imported when they are first used."""
    if name in ("plot", "plots", "report"):
        import importlib
        module = importlib.import_module("._report" if name == "report" else ".plots", __name__)
        return module if name == "plots" else getattr(module, name)
    raise AttributeError(f"module dyn has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
