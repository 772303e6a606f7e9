/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Perceptrons: h_l = sigma_l(c_l (h_{l-1} W_l + b_l)), f = kappa * h_L. The antisymmetric form is kappa * (f_1 - f_2)
 * of two copies whose parameters follow one another in theta and start equal. */
#include <math.h>
#include <stdio.h>
#include "family/perceptron.h"

/* ---- into a graph ---- */

static dyn_node layer_parameter(dyn_build *b, const dyn__dense *l, const char *letter, int32_t number, int copy, int32_t rank,
                                const int64_t *shape)
{
    const dyn_init_options init = {sizeof init, DYN_INIT_NORMAL, l->std, DYN_INIT_AS_WEIGHTS, 0, 1, NULL, 0, NULL, 0, 0};
    char name[32];

    snprintf(name, sizeof name, copy ? "%s%d.%d" : "%s%d", letter, (int)number, copy + 1);
    return dyn_build_parameter(b, name, rank, shape, l->std > 0 ? &init : NULL);
}

static dyn_node build_layer(dyn_build *b, const dyn__dense *l, int32_t number, int copy, dyn_node x)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node w = layer_parameter(b, l, "W", number, copy, 2, (int64_t[]){l->in, l->out});

    if (w < 0)
        return w;
    dyn_node z = dyn_graph_matmul(g, x, w, 0, 0);
    if (l->bias)
        z = dyn_graph_add(g, z, layer_parameter(b, l, "b", number, copy, 1, &l->out));
    z = dyn_graph_activation(g, l->activation, dyn_graph_scale(g, z, l->multiplier));
    z = l->skip ? dyn_graph_add(g, z, x) : z;
    return l->dropout > 0 ? dyn_layer_dropout(b, z, l->dropout, DYN_DROP_ELEMENTS) : z;
}

static dyn_node build_copy(dyn_build *b, const dyn__perceptron *p, int copy, dyn_node x)
{
    for (int32_t l = 0; l < p->layers && x >= 0; l++)
        x = build_layer(b, &p->layer[l], l + 1, copy, x);
    return x;
}

static dyn_node build(void *user, dyn_build *b)
{
    const dyn__perceptron *p = user;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", 1, &p->layer[0].in), f = build_copy(b, p, 0, x);

    if (p->copies == 2)
        f = dyn_graph_sub(g, f, build_copy(b, p, 1, x));
    return dyn_graph_scale(g, f, p->scale);
}

/* nn.Sequential of Linear, activation and, if any, Dropout; two of them in nn.ModuleList. */
static dyn_status theirs(const void *user, dyn_exchange_part *part)
{
    const dyn__perceptron *p = user;
    const char *rest, *kind = part->name[0] == 'W' ? "weight" : "bias";
    const char letter[2] = {part->name[0], '\0'};
    const int32_t number = dyn__numbered(part->name, letter, &rest) - 1, each = p->layer[0].dropout > 0 ? 3 : 2;
    char copy[4] = "";

    if (p->copies == 2)
        snprintf(copy, sizeof copy, "%d.", *rest == '.');
    dyn__part_name(part, "%s%d.%s", copy, (int)(each * number), kind);
    dyn__part_turned(part);
    return DYN_OK;
}

const dyn__perceptron *dyn__perceptron_of(const dyn_model *m) { return m->build == build ? m->user : NULL; }

/* ---- options ---- */

static dyn_status check_parametrisation(dyn_ctx *ctx, const dyn_perceptron_options *o)
{
    const int normalised = o->parametrisation == DYN_PARAMETRISATION_NORMALISED;

    DYN__TRY(dyn__check_choice(ctx, "parametrisation", o->parametrisation, DYN_PARAMETRISATION_NORMALISED));
    if (!isfinite(o->gamma) || !isfinite(o->gamma_prime) || (!normalised && (o->gamma != 0 || o->gamma_prime != 0)))
        return DYN__FAIL(ctx, DYN_EINVAL, "gamma is %g, gamma_prime %g: they are numbers of the normalised "
                         "parametrisation", o->gamma, o->gamma_prime);
    if (normalised && o->widths_count < 3)
        return DYN__FAIL(ctx, DYN_EINVAL, "the normalised parametrisation needs a hidden layer");
    if (normalised && o->widths_count > 3 && o->gamma_prime != 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "gamma_prime is %g: only two layers have it", o->gamma_prime);
    if (o->multipliers && o->parametrisation != DYN_PARAMETRISATION_STANDARD)
        return DYN__FAIL(ctx, DYN_EINVAL, "multipliers belong to the standard parametrisation");
    for (int32_t i = 0; o->multipliers && i < o->widths_count - 1; i++)
        if (!isfinite(o->multipliers[i]))
            return DYN__FAIL(ctx, DYN_EINVAL, "multipliers[%d] is %g", (int)i, o->multipliers[i]);
    return DYN_OK;
}

static dyn_status check_options(dyn_ctx *ctx, const dyn_perceptron_options *o)
{
    if (o->widths_count < 2 || !o->widths)
        return DYN__FAIL(ctx, DYN_EINVAL, "widths_count is %d, expected at least 2 (input and output)%s",
                         (int)o->widths_count, o->widths ? "" : "; widths is NULL");
    for (int32_t i = 0; i < o->widths_count; i++)
        if (o->widths[i] < 1)
            return DYN__FAIL(ctx, DYN_ESHAPE, "widths[%d] is %lld, expected at least 1", (int)i,
                             (long long)o->widths[i]);
    if (!isfinite(o->output_scale) || o->output_scale == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "output_scale is %g; it must be finite and not 0", o->output_scale);
    DYN__TRY(dyn__check_activation(ctx, o->activation));
    DYN__TRY(dyn__check_flag(ctx, "no_bias", o->no_bias));
    DYN__TRY(dyn__check_flag(ctx, "no_output_bias", o->no_output_bias));
    DYN__TRY(dyn__check_flag(ctx, "skip", o->skip));
    if (!(o->dropout >= 0 && o->dropout <= 1))
        return DYN__FAIL(ctx, DYN_EINVAL, "dropout is %g, expected 0 to 1", o->dropout);
    DYN__TRY(check_parametrisation(ctx, o));
    return dyn__check_flag(ctx, "antisymmetric", o->antisymmetric);
}

/* c and s of the normalised model: see enum dyn_parametrisation. */
static void normalise(const dyn_perceptron_options *o, int first, int last, dyn__dense *l)
{
    const double m = (double)o->widths[1], kappa = pow(m, -o->gamma), root = pow(m, -o->gamma_prime / 2);
    const int two = o->widths_count == 3;

    l->multiplier = (last ? kappa : 1) * (two ? first ? root : 1 / root : 1);
    l->std = two ? first ? 1 / root : root : 1;
}

static void parametrise(const dyn_perceptron_options *o, int first, int last, dyn__dense *l)
{
    const double root = sqrt((double)l->in), wide = sqrt((double)l->out);

    switch (o->parametrisation) {
    case DYN_PARAMETRISATION_NTK:
        l->multiplier = 1 / root;
        l->std = 1;
        break;
    case DYN_PARAMETRISATION_MEAN_FIELD:
        l->multiplier = first ? 1 : 1 / (double)l->in;
        l->std = 1;
        break;
    case DYN_PARAMETRISATION_MUP:
        l->multiplier = last ? 1 / root : first ? wide : 1;
        l->std = first && !last ? 1 / wide : 1 / root;
        break;
    case DYN_PARAMETRISATION_NORMALISED:
        normalise(o, first, last, l);
    }
}

static dyn_status set_layer(dyn_ctx *ctx, const dyn_perceptron_options *o, int32_t l, dyn__dense *out)
{
    const int last = l == o->widths_count - 2;

    out->in = o->widths[l];
    out->out = o->widths[l + 1];
    out->activation = o->activations ? o->activations[l] : last ? DYN_IDENTITY : o->activation;
    out->bias = o->bias ? o->bias[l] : !(o->no_bias || (last && o->no_output_bias));
    out->skip = o->skip && !last && out->in == out->out;
    out->multiplier = o->multipliers ? o->multipliers[l] : 1;
    out->std = 0;
    out->dropout = last ? 0 : o->dropout;
    parametrise(o, l == 0, last, out);
    if (!isfinite(out->multiplier) || !isfinite(out->std))
        return DYN__FAIL(ctx, DYN_ENONFINITE, "layer %d has factor %g and std %g", (int)l + 1, out->multiplier, out->std);
    DYN__TRY(dyn__check_activation(ctx, out->activation));
    return dyn__check_flag(ctx, "an element of bias", out->bias);
}

static dyn_status set_layers(dyn_ctx *ctx, const dyn_perceptron_options *o, dyn__perceptron *p)
{
    p->layers = o->widths_count - 1;
    p->copies = o->antisymmetric ? 2 : 1;
    p->scale = o->output_scale;
    for (int32_t l = 0; l < p->layers; l++)
        DYN__TRY(set_layer(ctx, o, l, &p->layer[l]));
    return DYN_OK;
}

dyn_status dyn_model_perceptron(dyn_ctx *ctx, const dyn_perceptron_options *opt, dyn_model **out)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_perceptron_options", opt, &o, sizeof o, sizeof o));
    DYN__TRY(check_options(ctx, &o));
    dyn__perceptron *p = dyn__alloc(ctx, 1, sizeof *p + (size_t)(o.widths_count - 1) * sizeof p->layer[0]);
    if (!p)
        return DYN_ENOMEM;
    dyn_status s = set_layers(ctx, &o, p);
    if (s != DYN_OK) {
        dyn__free(ctx, p);
        return s;
    }
    return dyn__model_called(dyn__model_create(ctx, build, p, 1, p->copies, out), out, theirs);
}

dyn_status dyn_model_mlp(dyn_ctx *ctx, int32_t widths_count, const int64_t *widths, int32_t activation, dyn_model **out)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    o.widths_count = widths_count;
    o.widths = widths;
    o.activation = activation;
    return dyn_model_perceptron(ctx, &o, out);
}
