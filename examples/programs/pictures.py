# SPDX-License-Identifier: BSD-3-Clause
"""The figure of each program for its page, and what is seen in it: two sentences in which the numbers are the
         program's.

A picture is (what is seen, function that draws); both get the names of the program. Braces hold an expression in those
names, with a format."""
import re

import numpy as np
from matplotlib.figure import Figure

import dyn

PICTURES = {}


def picture(name, sees):
    """Register the function below as what draws the program of this name."""
    def keep(function):
        PICTURES[name] = (sees, function)
        return function
    return keep


def filled(text, space):
    """A text with its expressions in braces replaced by their values."""
    def value(match):
        expression, _, form = match.group(1).partition(" : ")
        return format(eval(expression, {"np": np, "dyn": dyn, **space}), form)
    return re.sub(r"\{([^{}]+)\}", value, text)


def make(name, space, path):
    """Draw a program's figure into a file; what is seen in it."""
    sees, draw = PICTURES[name]
    class Names:
        def __getattr__(self, key):
            return space[key]
    draw(Names()).savefig(path, dpi=100)
    return " ".join(filled(sees, space).split())


def panels(columns, width=3.4, height=2.8):
    """A figure with so many axes beside each other."""
    figure = Figure(figsize=(width * columns, height), layout="constrained")
    return figure, np.atleast_1d(figure.subplots(1, columns))


@picture("digits", """Training loss and validation loss, with the smallest validation loss circled. It is
         {best_loss_ : .3f},
         and the network of that step tells {accuracy_ : .1%} of the other digits apart.""".replace(
             "best_loss_", "run.best_loss").replace("accuracy_", "run.validation.accuracy(best)"))
def _(p):
    return dyn.plot(p.run)


@picture("own_loss", """The product of the Gauss-Newton matrix of the weighted loss with a random vector, entry by
         entry, and the
         matrix's diagonal block by layers. The largest entry of the product is {np.abs(product).max() : .2f}.""")
def _(p):
    figure, (left, right) = panels(2)
    left.plot(p.product, lw=0.8)
    left.set(xlabel="parameter", ylabel="entry of $Gv$")
    values = np.linalg.eigvalsh(p.objective.ggn(p.theta).dense())[::-1]
    right.semilogy(np.maximum(values, 1e-18), ".")
    right.set(xlabel="number", ylabel="eigenvalue of $G$")
    return figure


@picture("coupled", """Left the network's outputs against the targets, whose correlation the first loss raises to
         {1 - first.value(runs[0].theta) : .3f}. Right both losses, each on mini-batches of 32 that are joined by the
         loss.""")
def _(p):
    figure, (left, right) = panels(2)
    left.plot(p.y, p.first.model(p.runs[0].theta, p.x)[:, 0], ".")
    left.set(xlabel="target", ylabel="output")
    for run, label in zip(p.runs, ("1 - correlation", "contrast")):
        right.semilogy(run.history["loss"], label=label, lw=0.8)
    right.set(xlabel="step", ylabel="loss")
    right.legend()
    return figure


@picture("physics", """The three terms of the loss fall together to a gradient of
         {np.linalg.norm(physics.gradient(run.theta)[1]) : .0e}; the
         solution is within {np.abs(u(run.theta, inside) - np.sin(inside)).max() : .0e} of the sine. The spectrum of
         the Hessian there spans
         many decades, which is why first-order methods are slow on such equations.""")
def _(p):
    figure, (left, middle, right) = panels(3)
    for name in ("equation", "start", "slope"):
        left.loglog(p.run.history["step"] + 1, np.maximum(p.run.history[name], 1e-18), label=name, lw=0.8)
    left.set(xlabel="step + 1", ylabel="term of the loss")
    left.legend()
    middle.plot(p.inside, np.sin(p.inside), lw=3, alpha=0.4, label="sin")
    middle.plot(p.inside, p.u(p.run.theta, p.inside), "k--", lw=1, label="network")
    middle.set(xlabel="t", ylabel="u")
    middle.legend()
    right.semilogy(np.sort(np.abs(p.values))[::-1], ".")
    right.set(xlabel="number", ylabel="|eigenvalue| of the Hessian")
    return figure


@picture("teacher", """The student's loss under fresh noise, and its sharpness with the threshold of the Adam that
         trains it. At the end the
         loss is {run.history['loss'][-1] : .3f}; its noise is the noise of the inputs, drawn anew in every step.""")
def _(p):
    return dyn.plot(p.run)


@picture("fine_tuning", """Fine-tuning of {run.objective.size} of {net.size} parameters on the other half of the
         digits, and the sharpness of the loss in
         these alone. What is frozen keeps its bits.""")
def _(p):
    return dyn.plot(p.run)


@picture("recurrent", """Left the loss, of which only the marked tokens have a part. Right the probability that the
         trained network gives to the
         token before the last, position by position: on average
         {np.exp(-run.history['loss'][-1] / mask.mean()) : .2f}.""")
def _(p):
    figure, (left, right) = panels(2)
    left.semilogy(p.run.history["loss"])
    left.set(xlabel="step", ylabel="loss")
    logits = p.net(p.run.theta, p.tokens).reshape(256, p.T, p.V)
    share = np.exp(logits - np.logaddexp.reduce(logits, -1, keepdims=True))
    right.plot(np.arange(1, p.T), np.take_along_axis(share, p.targets[..., None], -1)[:, 1:, 0].mean(0), "o-")
    right.set(xlabel="position", ylabel="probability of the right token", ylim=(0, 1))
    return figure


@picture("own_optimiser", """Loss and sharpness of an optimiser that the library does not know: its preconditioner is
         declared, and so the threshold 2/η
         stands beside its preconditioned sharpness. At the last measurement it is
         {run[sharpness].values[-1, 0] : .0f}, the threshold
         {run[sharpness].threshold[-1] : .0f}.""")
def _(p):
    return dyn.plot(p.run)


@picture("measurement", """The loss, and below it the angle between the gradients of two halves of the data, a
         measurement written in the program. It
         begins at {run['angle'].values[0] : .0f} degrees and ends at {run['angle'].values[-1] : .0f}: what is left of
         the
         gradient is more and more that of single samples.""")
def _(p):
    return dyn.plot(p.run)


@picture("averages", """The loss along the line between the averaged parameters of two trainings from different
         starts. Both ends are below
         {np.maximum(barrier[0], barrier[-1]) : .2g}; between them there is a barrier of {barrier.max() : .2f}.""")
def _(p):
    figure, (left, right) = panels(2)
    left.plot(np.linspace(0, 1, 21), p.barrier)
    left.set(xlabel="place between the two runs", ylabel="loss")
    steps, path = p.first["snapshots"].steps, p.first["snapshots"].values
    right.plot(steps, np.linalg.norm(path - p.first.mean, axis=1), "o-", label="snapshots")
    right.axhline(np.linalg.norm(p.first.ema - p.first.mean), ls="--", color="0.5", label="moving average")
    right.set(xscale="symlog", xlabel="step", ylabel="distance from the mean")
    right.legend()
    return figure


@picture("sweep", """The rank of the Jacobian of {len(sweep)} trained networks, by width and scale of the start. The
         mean over all is
         {np.mean([m['rank'].rank[0] for m in sweep]) : .1f}; a small start leaves fewer independent directions than a
         large one.""")
def _(p):
    return dyn.plot(p.sweep.pivot("width", "scale", "rank"))


@picture("flow", """Directions of the neurons at the end, and their number over time: gradient flow from a small start
         gathers them along the
         sums of the data of one sign. The loss is {path.loss : .0e} at time {path.time : .1f}, and {path.kinks} kinks
         were met on the way.""")
def _(p):
    figure, (left, right) = panels(2)
    norms = [np.linalg.norm(p.net.views(theta)["W1"], axis=0) for theta in p.path.states]
    left.loglog(p.path.times, norms, lw=0.8)
    left.set(xlabel="time", ylabel="length of each neuron's weights")
    right.semilogx(p.path.times, p.found.effective, "o-", ms=3)
    right.set(xlabel="time", ylabel="directions")
    return figure


@picture("from_torch", """A module of PyTorch's, with convolution, batch norm and dropout, trained and measured here:
         loss and sharpness. Its state goes back
         into the module, which then tells {np.mean(run.predict(images[1500:]).argmax(1) == y[1500:].argmax(1)) : .1%}
         of the test images apart.""")
def _(p):
    return dyn.plot(p.run)


@picture("differences", """The way to the minimum of a function of {n} unknowns that is known by its gradient alone,
         and the five lowest curvatures
         there. They come by differences of gradients, whose error, {low.product_error : .0e}, is estimated and part
         of the residuals.""")
def _(p):
    figure, (left, right) = panels(2)
    left.semilogy(p.run.history["gradient_norm"])
    left.set(xlabel="step", ylabel="norm of the gradient")
    right.errorbar(range(1, 6), np.sort(p.low.values), yerr=p.low.residuals.max(), fmt="o")
    right.set(xlabel="number", ylabel="curvature")
    return figure


@picture("small_gpt", """The loss of a small GPT on the bytes of a file that is never read whole, from
         {run.history['loss'][0] : .2f} to
         {run.history['loss'][-1] : .2f}, at {speed : .0f} tokens a second. Right the rate, with its warm-up and
         cosine.""")
def _(p):
    figure, (left, right) = panels(2)
    left.plot(p.run.history["loss"], lw=0.8)
    left.set(xlabel="step", ylabel="loss")
    right.plot(p.run.history["rate"])
    right.set(xlabel="step", ylabel="rate")
    return figure


@picture("residual_cnn", """Loss and validation of a residual network with batch norm and dropout on images of 8 × 8
         pixels. The validation takes stored
         statistics and no mask; its accuracy at the end is {run.validation.accuracy(run.theta) : .1%}.""")
def _(p):
    return dyn.plot(p.run)


@picture("attention_maps", """The attention of one head over a walk on a circle at three steps of training, and below
         it the loss's gradient by these maps.
         At first a token looks at all before it alike; at step 200 the largest share is {maps[2].max() : .2f}.""")
def _(p):
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots(2, 3)
    widest = np.abs(p.slopes[:, 0]).max()
    for column, step in enumerate((0, 50, 200)):
        axes[0, column].imshow(p.maps[column, 0], vmin=0, vmax=1, cmap="magma")
        axes[1, column].imshow(p.slopes[column, 0], vmin=-widest, vmax=widest, cmap="RdBu_r")
        axes[0, column].set_title(f"step {step}")
    axes[0, 0].set_ylabel("attention of token")
    axes[1, 0].set_ylabel("gradient by it")
    return figure
