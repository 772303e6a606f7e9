/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The INIT macros of all option structs by name. It lies on the top floor, from where all of them can be seen. */
#include <string.h>
#include <dyn/dyn.h>

typedef struct defaults {
    const char *name;
    const void *init;
    size_t size;
} defaults;

#define OF(type, macro) { #type, &(const type)macro, sizeof(type) }

static const defaults all[] = {
    OF(dyn_cnn_options, DYN_CNN_OPTIONS_INIT),
    OF(dyn_condensation_options, DYN_CONDENSATION_OPTIONS_INIT),
    OF(dyn_ctx_options, DYN_CTX_OPTIONS_INIT),
    OF(dyn_diagonal_options, DYN_DIAGONAL_OPTIONS_INIT),
    OF(dyn_eigen_options, DYN_EIGEN_OPTIONS_INIT),
    OF(dyn_factorisation_options, DYN_FACTORISATION_OPTIONS_INIT),
    OF(dyn_init_options, DYN_INIT_OPTIONS_INIT),
    OF(dyn_objective_functions, DYN_OBJECTIVE_FUNCTIONS_INIT),
    OF(dyn_objective_options, DYN_OBJECTIVE_OPTIONS_INIT),
    OF(dyn_objective_parts, DYN_OBJECTIVE_PARTS_INIT),
    OF(dyn_optimizer_options, DYN_OPTIMIZER_OPTIONS_INIT),
    OF(dyn_perceptron_options, DYN_PERCEPTRON_OPTIONS_INIT),
    OF(dyn_plan_options, DYN_PLAN_OPTIONS_INIT),
    OF(dyn_polynomial_options, DYN_POLYNOMIAL_OPTIONS_INIT),
    OF(dyn_rank_options, DYN_RANK_OPTIONS_INIT),
    OF(dyn_recurrent_options, DYN_RECURRENT_OPTIONS_INIT),
    OF(dyn_replicas_options, DYN_REPLICAS_OPTIONS_INIT),
    OF(dyn_sweep_options, DYN_SWEEP_OPTIONS_INIT),
    OF(dyn_resnet_options, DYN_RESNET_OPTIONS_INIT),
    OF(dyn_run_options, DYN_RUN_OPTIONS_INIT),
    OF(dyn_schedule, DYN_SCHEDULE_INIT),
    OF(dyn_sharpness_options, DYN_SHARPNESS_OPTIONS_INIT),
    OF(dyn_solve_options, DYN_SOLVE_OPTIONS_INIT), OF(dyn_minimise_options, DYN_MINIMISE_OPTIONS_INIT),
    OF(dyn_flow_options, DYN_FLOW_OPTIONS_INIT), OF(dyn_langevin_options, DYN_LANGEVIN_OPTIONS_INIT),
    OF(dyn_learning_coefficient_options, DYN_LEARNING_COEFFICIENT_OPTIONS_INIT),
    OF(dyn_anchor_options, DYN_ANCHOR_OPTIONS_INIT),
    OF(dyn_plateau_options, DYN_PLATEAU_OPTIONS_INIT),
    OF(dyn_chain_options, DYN_CHAIN_OPTIONS_INIT),
    OF(dyn_spike_options, DYN_SPIKE_OPTIONS_INIT),
    OF(dyn_tensor_options, DYN_TENSOR_OPTIONS_INIT),
    OF(dyn_central_options, DYN_CENTRAL_OPTIONS_INIT),
    OF(dyn_kfac_options, DYN_KFAC_OPTIONS_INIT),
    OF(dyn_kernel_fit_options, DYN_KERNEL_FIT_OPTIONS_INIT), OF(dyn_tangent_options, DYN_TANGENT_OPTIONS_INIT),
    OF(dyn_trace_options, DYN_TRACE_OPTIONS_INIT),
    OF(dyn_transformer_options, DYN_TRANSFORMER_OPTIONS_INIT),
};

dyn_status dyn_options_init(const char *name, void *options, uint32_t size)
{
    if (!name || !options)
        return DYN_EINVAL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(name, all[i].name) != 0)
            continue;
        if (size < sizeof size || size % sizeof size)
            return DYN_EABI_SIZE;
        if (size > all[i].size)
            return DYN_EABI_NEW;
        memcpy(options, all[i].init, size);
        memcpy(options, &size, sizeof size);
        return DYN_OK;
    }
    return DYN_EINVAL;
}
