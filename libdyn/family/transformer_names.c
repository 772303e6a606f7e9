/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of transformers in PyTorch: GPT2LMHeadModel and LlamaForCausalLM of the package transformers where the options are
 * theirs, else layers that are called as those of nn.TransformerEncoderLayer. */
#include <stdio.h>
#include <string.h>
#include "family/transformer.h"

/* A tensor in all three; the name of a layer's begins with what a layer is called. turned: it is [out, in] in nn.Linear. */
typedef struct names {
    const char *ours, *gpt2, *llama, *plain;
    int32_t turned;
} names;

static const names of_layers[] = {
    {"Wq", "attn.c_attn.weight", "self_attn.q_proj.weight", "self_attn.q_proj.weight", 1},
    {"bq", "attn.c_attn.bias", "", "self_attn.q_proj.bias", 0},
    {"Wk", "attn.c_attn.weight", "self_attn.k_proj.weight", "self_attn.k_proj.weight", 1},
    {"bk", "attn.c_attn.bias", "", "self_attn.k_proj.bias", 0},
    {"Wv", "attn.c_attn.weight", "self_attn.v_proj.weight", "self_attn.v_proj.weight", 1},
    {"bv", "attn.c_attn.bias", "", "self_attn.v_proj.bias", 0},
    {"Wo", "attn.c_proj.weight", "self_attn.o_proj.weight", "self_attn.out_proj.weight", 1},
    {"bo", "attn.c_proj.bias", "", "self_attn.out_proj.bias", 0},
    {"W1", "mlp.c_fc.weight", "mlp.up_proj.weight", "linear1.weight", 1},
    {"b1", "mlp.c_fc.bias", "", "linear1.bias", 0},
    {"Wg", "", "mlp.gate_proj.weight", "gate.weight", 1},
    {"W2", "mlp.c_proj.weight", "mlp.down_proj.weight", "linear2.weight", 1},
    {"b2", "mlp.c_proj.bias", "", "linear2.bias", 0},
    {"gain1", "ln_1.weight", "input_layernorm.weight", "norm1.weight", 0},
    {"shift1", "ln_1.bias", "", "norm1.bias", 0},
    {"gain2", "ln_2.weight", "post_attention_layernorm.weight", "norm2.weight", 0},
    {"shift2", "ln_2.bias", "", "norm2.bias", 0},
    {"alpha", "", "", "alpha", 0},
    {"beta", "", "", "beta", 0},
};

static const names of_others[] = {
    {"embedding", "transformer.wte.weight", "model.embed_tokens.weight", "embedding.weight", 0},
    {"position", "transformer.wpe.weight", "", "position.weight", 0},
    {"gain", "transformer.ln_f.weight", "model.norm.weight", "norm.weight", 0},
    {"shift", "transformer.ln_f.bias", "", "norm.bias", 0},
    {"W", "lm_head.weight", "lm_head.weight", "output.weight", 1},
    {"b", "", "", "output.bias", 0},
};

enum { PLAIN, GPT2, LLAMA };

static int one_square(const dyn_transformer_options *o)
{
    return o->heads == o->kv_heads && o->heads * o->key_width == o->width && o->heads * o->value_width == o->width;
}

static int kind_of(const dyn_transformer_options *o)
{
    const int common = o->norm == DYN_NORM_PRE && !o->norm_query_only && o->residual && o->mix && o->project &&
        !o->output_bias && o->hidden && o->causal && o->pad < 0 && !o->buffers;

    if (common && !o->rms && !o->gated && o->bias && o->position == DYN_POSITION_LEARNED && one_square(o))
        return GPT2;
    if (common && o->rms && o->gated && !o->bias && o->position == DYN_POSITION_ROTARY && o->key_width == o->value_width)
        return LLAMA;
    return PLAIN;
}

/* Whether attention is nn.MultiheadAttention's: queries, keys, values in one matrix. */
static int packed(const dyn_transformer_options *o) { return o->bias && o->mix && one_square(o); }

static int is_input_map(const char *ours) { return strchr("Wb", ours[0]) && ours[1] && strchr("qkv", ours[1]) && !ours[2]; }

static void layer_tensor(const dyn_transformer_options *o, int32_t layer, const names *n, dyn_exchange_part *p)
{
    static const char *const layers[] = {[PLAIN] = "layers", [GPT2] = "transformer.h", [LLAMA] = "model.layers"};
    const int kind = kind_of(o), together = is_input_map(n->ours) && (kind == GPT2 || (kind == PLAIN && packed(o)));
    const char *name = kind == GPT2 ? n->gpt2 : kind == LLAMA ? n->llama : n->plain;

    if (n->turned && kind != GPT2)      /* GPT-2's Conv1D keeps [in, out] */
        dyn__part_turned(p);
    if (together)
        p->joined = kind == GPT2 ? p->axes - 1 : 0;
    if (together && kind == PLAIN)
        name = n->turned ? "self_attn.in_proj_weight" : "self_attn.in_proj_bias";
    dyn__part_name(p, "%s.%d.%s", layers[kind], (int)layer - 1, name);
}

static const names *find(const names *list, size_t count, const char *ours)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].ours, ours) == 0)
            return &list[i];
    return NULL;
}

dyn_status dyn__transformer_theirs(const void *user, dyn_exchange_part *p)
{
    const dyn_transformer_options *o = user;
    const int kind = kind_of(o);
    char whole[sizeof p->name];
    const char *ours = whole;

    memcpy(whole, p->name, sizeof whole);
    const int32_t layer = dyn__numbered(whole, "layer", &ours);
    const names *n = layer ? find(of_layers, sizeof of_layers / sizeof *of_layers, ++ours)
                           : find(of_others, sizeof of_others / sizeof *of_others, whole);
    if (!n)
        return DYN_OK;
    if (layer) {
        layer_tensor(o, layer, n, p);
        return DYN_OK;
    }
    if (n->turned)
        dyn__part_turned(p);
    dyn__part_name(p, "%s", kind == GPT2 ? n->gpt2 : kind == LLAMA ? n->llama : n->plain);
    if (o->tied && strcmp(n->ours, "embedding") == 0)
        snprintf(p->also, sizeof p->also, "%s", kind == PLAIN ? "output.weight" : "lm_head.weight");
    return DYN_OK;
}
