# SPDX-License-Identifier: BSD-3-Clause
"""What the headers of libdyn declare, as one table: functions, option structs, callbacks, enumerators.

Nothing else in the package knows a signature. The test test_contract.py compares every line with the headers and with
what the C compiler makes of them. Types: i32, i64, u32, u64, f64; ptr is any pointer, str a C string, status the
int32_t that says how it went; operator is a dyn_operator * and so on, operator* where one is made."""

#: name, result, parameters
FUNCTIONS = """
# branch.h
dyn_branch_list                        status ctx i64 i64 i64 i64 ptr ptr ptr
dyn_branch_imbalance                   status ctx i64 i64 ptr ptr i64 ptr ptr ptr ptr
dyn_branch_probe                       status model ptr i64 ptr ptr f64 u64 f64 i64 ptr ptr

# build.h
dyn_build_graph                        graph  ptr
dyn_build_samples                      i64    ptr
dyn_build_training                     i32    ptr
dyn_build_input                        i32    ptr str i32 ptr
dyn_build_indices                      i32    ptr str i32 ptr
dyn_build_data                         i32    ptr str
dyn_build_parameter                    i32    ptr str i32 ptr ptr
dyn_build_state                        i32    ptr str i32 ptr f64
dyn_build_state_from                   i32    ptr str i32 ptr ptr
dyn_build_update                       status ptr i32 i32
dyn_build_call                         i32    ptr str ptr i32 ptr
dyn_build_name                         i32    ptr str i32
dyn_build_residual                     i32    ptr i32
dyn_build_term                         status ptr str i32 f64
dyn_build_call_at                      i32    ptr ptr i32 i32 ptr
dyn_build_uniform                      i32    ptr i32 ptr
dyn_build_bernoulli                    i32    ptr f64 i32 ptr
dyn_build_normal                       i32    ptr i32 ptr

# check.h
dyn_check_gradient                     status objective ptr u64 check*
dyn_check_hessian                      status objective ptr u64 check*
dyn_check_free                         void   check
dyn_check_passed                       i32    check
dyn_check_error                        f64    check
dyn_check_tolerance                    f64    check
dyn_check_order                        f64    check
dyn_check_asymmetry                    f64    check

# completion.h
dyn_completion_nuclear_norm            status ctx i64 i64 i64 ptr ptr ptr
dyn_completion_spectra                 status ctx i64 i64 i64 ptr ptr ptr ptr ptr ptr

# condensation.h
dyn_condensation_shape                 status model i32 ptr ptr ptr
dyn_condensation_features              status model ptr i32 ptr ptr
dyn_condensation_measure               status ctx i64 i64 ptr i64 ptr ptr condensation*
dyn_condensation_free                  void   condensation
dyn_condensation_neurons               i64    condensation
dyn_condensation_components            i64    condensation
dyn_condensation_settings              ptr    condensation
dyn_condensation_norms                 ptr    condensation
dyn_condensation_amplitudes            ptr    condensation
dyn_condensation_zeros                 i64    condensation
dyn_condensation_dead                  i64    condensation
dyn_condensation_assignment            ptr    condensation
dyn_condensation_clusters              i64    condensation
dyn_condensation_sizes                 ptr    condensation
dyn_condensation_shares                ptr    condensation
dyn_condensation_directions            ptr    condensation
dyn_condensation_tightness             ptr    condensation
dyn_condensation_effective             i64    condensation
dyn_condensation_entropy_count         f64    condensation
dyn_condensation_order                 ptr    condensation
dyn_condensation_leading               f64    condensation ptr ptr
dyn_condensation_cosines               status condensation i32 ptr
dyn_condensation_cover                 status condensation f64 ptr ptr
dyn_condensation_alignment             status condensation ptr ptr ptr
dyn_condensation_orientation           status condensation ptr
dyn_condensation_histogram             status condensation i64 i64 ptr ptr
dyn_condensation_data_direction        status ctx i64 i64 ptr ptr i32 ptr
dyn_condensation_distance              status ctx i64 ptr ptr ptr
dyn_condensation_slope                 status ctx i64 ptr ptr ptr ptr

# context.h
dyn_ctx_create                         status ptr ctx*
dyn_ctx_free                           void   ctx
dyn_ctx_message                        str    ctx
dyn_ctx_threads                        i32    ctx
dyn_ctx_isa                            i32    ctx
dyn_ctx_bytes                          i64    ctx
dyn_ctx_report                         str    ctx
dyn_ctx_numerics                       str    ctx
dyn_version                            str

# convolutional.h
dyn_model_cnn                          status ctx ptr model*
dyn_model_resnet                       status ctx ptr model*

# data.h
dyn_array_create                       status ctx i32 i32 ptr ptr array*
dyn_array_wrap                         status ctx i32 i32 ptr ptr array*
dyn_array_ref                          array  array
dyn_array_unref                        void   array
dyn_array_dtype                        i32    array
dyn_array_rank                         i32    array
dyn_array_shape                        ptr    array
dyn_array_size                         i64    array
dyn_array_data                         ptr    array
dyn_array_convert                      status array i32 array*
dyn_array_reshape                      status array i32 ptr array*
dyn_array_linspace                     status ctx i32 f64 f64 i64 array*
dyn_array_read                         status ctx str str array*
dyn_array_write_npy                    status array str
dyn_array_write_csv                    status array str ptr
dyn_npz_open                           status ctx str npz*
dyn_npz_free                           void   npz
dyn_npz_count                          i64    npz
dyn_npz_name                           str    npz i64
dyn_npz_read                           status npz str array*
dyn_npz_write                          status ctx str i64 ptr ptr
dyn_array_standardise                  status array i32 array* array* array*
dyn_array_rescale                      status array array array array*
dyn_array_one_hot                      status array i64 i32 array*
dyn_array_slice                        status array i32 i64 i64 array*
dyn_array_take                         status array i64 ptr array*
dyn_array_split                        status array u64 i64 array* array*
dyn_data_order                         status ctx u64 i64 i64 ptr
dyn_data_batches                       i64    i64 i64 i32

# defaults.h
dyn_options_init                       status str ptr u32

# degenerate.h
dyn_degenerate_theory_of               status ctx i32 f64 f64 f64 ptr
dyn_degenerate_run                     status ctx i32 f64 f64 f64 f64 i64 ptr ptr ptr
dyn_degenerate_map                     status ctx i32 f64 f64 i64 i64 ptr ptr ptr ptr ptr

# dense.h
dyn_dense_eigh                         status ctx i64 ptr ptr ptr
dyn_dense_svd_values                   status ctx i64 i64 ptr ptr
dyn_dense_svd_values_gram              status ctx i64 i64 ptr ptr ptr
dyn_dense_svd_values_accurate          status ctx i64 i64 ptr ptr ptr

# eigen.h
dyn_eigen_solve                        status operator ptr eigen*
dyn_eigen_bytes                        status operator ptr ptr
dyn_eigen_free                         void   eigen
dyn_eigen_count                        i64    eigen
dyn_eigen_size                         i64    eigen
dyn_eigen_values                       ptr    eigen
dyn_eigen_vectors                      ptr    eigen
dyn_eigen_residuals                    ptr    eigen
dyn_eigen_tolerances                   ptr    eigen
dyn_eigen_clusters                     ptr    eigen
dyn_eigen_multiplicities               ptr    eigen
dyn_eigen_last_cluster                 i32    eigen
dyn_eigen_outliers                     status eigen f64 ptr ptr ptr ptr
dyn_eigen_converged                    ptr    eigen
dyn_eigen_all_converged                i32    eigen
dyn_eigen_product_error                f64    eigen
dyn_eigen_products                     i64    eigen
dyn_eigen_tolerance                    f64    eigen
dyn_eigen_miss_bound                   f64    eigen
dyn_eigen_floor                        f64    eigen

# embed.h
dyn_embed_width                        status model ptr model ptr ptr f64 u64 ptr
dyn_embed_depth                        status model ptr model i32 i64 ptr f64 u64 ptr

# estimate.h
dyn_operator_trace                     status operator ptr ptr ptr
dyn_operator_diagonal                  status operator i64 u64 ptr ptr
dyn_operator_density                   status operator i64 i64 u64 ptr ptr
dyn_density_curve                      status ctx i64 i64 ptr ptr f64 i64 ptr ptr ptr
dyn_density_sum                        status ctx i64 i64 ptr ptr i64 ptr ptr ptr ptr
dyn_density_effective_dimension        status ctx i64 i64 ptr ptr i64 f64 ptr ptr
dyn_density_negative_share             status ctx i64 i64 ptr ptr f64 ptr ptr
dyn_operator_frobenius                 status operator i64 u64 ptr ptr
dyn_operator_stable_rank               status operator i64 f64 u64 ptr ptr
dyn_operator_log_determinant           status operator f64 i64 i64 u64 ptr ptr

# exchange.h
dyn_exchange_entry                     status model i32 ptr
dyn_exchange_write                     status model ptr ptr i32 str
dyn_exchange_read                      status model str ptr ptr

# factorisation.h
dyn_model_factorisation                status ctx ptr model*
dyn_model_tensor_factorisation         status ctx ptr model*
dyn_model_diagonal                     status ctx ptr model*
dyn_model_polynomial                   status ctx ptr model*

# frequency.h
dyn_frequency_transform                status ctx i64 i64 ptr ptr i64 ptr ptr
dyn_frequency_error                    status ctx i64 ptr ptr f64 i32 ptr
dyn_frequency_project                  status ctx i64 i64 ptr ptr ptr
dyn_frequency_filter                   status ctx i64 i64 i64 ptr ptr f64 ptr

# generate.h
dyn_generate_anchor                    status ctx ptr array*
dyn_generate_chain                     status ctx ptr array*
dyn_generate_composite                 status ctx i32 i64 u64 array* array* array*
dyn_generate_target                    status ctx i32 i64 u64 array* array*
dyn_generate_parity                    status ctx i32 array* array*
dyn_generate_modular                   status ctx i64 i32 array*
dyn_generate_matrix                    status ctx str array*
dyn_generate_low_rank                  status ctx i64 i64 i64 u64 array*
dyn_generate_observed                  status ctx i32 i64 i64 u64 array*
dyn_observation_graph                  status ctx i64 i64 i64 ptr i32 ptr ptr ptr

# graph.h
dyn_graph_create                       status ctx i32 graph*
dyn_graph_free                         void   graph
dyn_graph_size                         i32    graph
dyn_graph_dtype                        i32    graph
dyn_graph_shape                        i32    graph i32 ptr
dyn_graph_print                        i64    graph i32 i32 ptr ptr i64
dyn_graph_parameter                    i32    graph str i32 ptr
dyn_graph_input                        i32    graph str i32 ptr
dyn_graph_indices                      i32    graph str i32 ptr
dyn_graph_constant                     i32    graph f64 i32 ptr
dyn_graph_find                         i32    graph str
dyn_graph_add                          i32    graph i32 i32
dyn_graph_sub                          i32    graph i32 i32
dyn_graph_mul                          i32    graph i32 i32
dyn_graph_div                          i32    graph i32 i32
dyn_graph_max                          i32    graph i32 i32
dyn_graph_greater                      i32    graph i32 i32
dyn_graph_greater_equal                i32    graph i32 i32
dyn_graph_equal                        i32    graph i32 i32
dyn_graph_neg                          i32    graph i32
dyn_graph_scale                        i32    graph i32 f64
dyn_graph_exp                          i32    graph i32
dyn_graph_expm1                        i32    graph i32
dyn_graph_log                          i32    graph i32
dyn_graph_log1p                        i32    graph i32
dyn_graph_tanh                         i32    graph i32
dyn_graph_erf                          i32    graph i32
dyn_graph_sin                          i32    graph i32
dyn_graph_cos                          i32    graph i32
dyn_graph_sqrt                         i32    graph i32
dyn_graph_powi                         i32    graph i32 i64
dyn_graph_pow                          i32    graph i32 f64
dyn_graph_select                       i32    graph i32 i32 i32
dyn_graph_stop                         i32    graph i32
dyn_graph_identity                     i32    graph i32
dyn_graph_matmul                       i32    graph i32 i32 i32 i32
dyn_graph_sum                          i32    graph i32 i32 ptr
dyn_graph_amax                         i32    graph i32 i32 ptr
dyn_graph_broadcast_to                 i32    graph i32 i32 ptr
dyn_graph_reshape                      i32    graph i32 i32 ptr
dyn_graph_permute                      i32    graph i32 ptr
dyn_graph_slice                        i32    graph i32 ptr ptr
dyn_graph_pad                          i32    graph i32 ptr ptr
dyn_graph_concat                       i32    graph i32 i32 i32
dyn_graph_gather                       i32    graph i32 i32
dyn_graph_scatter_add                  i32    graph i32 i32 i64
dyn_graph_relu                         i32    graph i32
dyn_graph_abs                          i32    graph i32
dyn_graph_sign                         i32    graph i32
dyn_graph_sigmoid                      i32    graph i32
dyn_graph_softplus                     i32    graph i32
dyn_graph_logsumexp                    i32    graph i32
dyn_graph_mean                         i32    graph i32
dyn_graph_derivative                   i32    graph i32 i32 i32
dyn_graph_jvp                          status graph i32 ptr i32 ptr ptr ptr
dyn_graph_vjp                          status graph i32 ptr ptr i32 ptr ptr
dyn_graph_gradient                     status graph i32 i32 ptr ptr
dyn_graph_hvp                          status graph i32 i32 ptr ptr ptr
dyn_graph_ggn                          status graph i32 i32 i32 ptr ptr ptr
dyn_graph_batch                        status graph i64 i32 ptr i32 ptr ptr ptr
dyn_graph_constant_array               i32    graph i32 ptr ptr
dyn_graph_slice_step                   i32    graph i32 ptr ptr ptr
dyn_graph_narrow                       i32    graph i32 i32 i64 i64
dyn_graph_unfold                       i32    graph i32 i32 i64 i64 i64 i64 i64
dyn_graph_fold                         i32    graph i32 i32 i64 i64 i64 i64
dyn_graph_batched_gather               i32    graph i32 i32 i32
dyn_graph_batched_scatter_add          i32    graph i32 i32 i32 i64
dyn_graph_uniform                      i32    graph i32 u32 i32 ptr
dyn_graph_bernoulli                    i32    graph i32 u32 f64 i32 ptr

# inertia.h
dyn_inertia_values                     status ctx i64 ptr f64 ptr ptr ptr
dyn_inertia_matrix                     status ctx i64 ptr f64 ptr ptr ptr ptr

# inspect.h
dyn_graph_inspect                      status graph i32 ptr

# layer.h
dyn_layer_linear                       i32    graph i32 i32 i32
dyn_layer_embedding                    i32    graph i32 i32
dyn_layer_feed_forward                 i32    graph i32 i32 i32 i32 i32 i32 i32
dyn_layer_softmax                      i32    graph i32 i32
dyn_layer_log_softmax                  i32    graph i32
dyn_layer_layer_norm                   i32    graph i32 i32 i32 i32 f64
dyn_layer_rms_norm                     i32    graph i32 i32 f64
dyn_layer_group_norm                   i32    graph i32 i64 i32 i32 f64
dyn_layer_batch_norm                   i32    ptr str i32 i32 i32 f64 f64
dyn_layer_arange                       i32    graph i64
dyn_layer_causal_mask                  i32    graph i64 i64
dyn_layer_sinusoidal                   i32    graph i64 i64 f64
dyn_layer_rotary                       i32    graph i32 f64 i32
dyn_layer_split_heads                  i32    graph i32 i32
dyn_layer_merge_heads                  i32    graph i32
dyn_layer_scaled_dot_product_attention i32    graph i32 i32 i32 i32 i32 f64 ptr
dyn_layer_recurrent                    i32    graph i32 i32 i32 i32 i32 i32
dyn_layer_conv                         i32    graph i32 i32 i32 ptr ptr ptr i64
dyn_layer_conv_transpose               i32    graph i32 i32 i32 ptr ptr ptr i64 ptr
dyn_layer_max_pool                     i32    graph i32 ptr ptr ptr ptr i32
dyn_layer_avg_pool                     i32    graph i32 ptr ptr ptr i32 i32
dyn_layer_adaptive_avg_pool            i32    graph i32 ptr
dyn_layer_adaptive_max_pool            i32    graph i32 ptr
dyn_layer_dropout                      i32    ptr i32 f64 i32
dyn_layer_dropout_variance             i32    graph i32 i32 f64

# model.h
dyn_graph_activation                   i32    graph i32 i32
dyn_model_perceptron                   status ctx ptr model*
dyn_model_mlp                          status ctx i32 ptr i32 model*
dyn_model_from_callback                status ctx ptr ptr i32 ptr model*
dyn_model_ref                          model  model
dyn_model_unref                        void   model
dyn_model_size                         i64    model
dyn_model_tensors                      i32    model
dyn_model_tensor_name                  str    model i32
dyn_model_tensor                       i32    model i32 ptr ptr
dyn_model_input_size                   i64    model
dyn_model_output_size                  i64    model
dyn_model_build                        i32    model graph i32
dyn_model_initialise                   status model ptr ptr
dyn_model_create                       status ctx ptr ptr model*
dyn_model_inputs                       i32    model
dyn_model_input_name                   str    model i32
dyn_model_input                        i32    model i32 ptr ptr
dyn_model_output                       i32    model ptr
dyn_model_state_size                   i64    model
dyn_model_states                       i32    model
dyn_model_state_name                   str    model i32
dyn_model_state                        i32    model i32 ptr
dyn_model_initial_states               status model ptr
dyn_model_with_states                  status model ptr model*
dyn_model_centre                       status model ptr model*
dyn_model_freeze                       status model i32 ptr ptr model*
dyn_model_expand                       status model ptr ptr
dyn_model_contract                     status model ptr ptr

# nilpotent.h
dyn_nilpotent_rank                     status ctx i64 i64 ptr ptr
dyn_nilpotent_type                     status ctx i64 ptr ptr ptr
dyn_nilpotent_matrix                   status ctx i64 ptr ptr
dyn_nilpotent_functor                  status ctx i32 i64 ptr i64 ptr i64 ptr ptr

# objective.h
dyn_objective_create                   status ctx model array array ptr objective*
dyn_objective_from_callbacks           status ctx ptr objective*
dyn_objective_ref                      objective objective
dyn_objective_unref                    void   objective
dyn_objective_size                     i64    objective
dyn_objective_samples                  i64    objective
dyn_objective_outputs                  i64    objective
dyn_objective_model                    model  objective
dyn_objective_value                    status objective ptr ptr
dyn_objective_gradient                 status objective ptr ptr ptr
dyn_objective_predict                  status objective ptr ptr
dyn_objective_accuracy                 status objective ptr ptr
dyn_objective_hessian                  status objective ptr operator*
dyn_objective_path                     status objective ptr ptr i32 i32 i32 objective*
dyn_objective_third_derivative         status objective ptr ptr operator*
dyn_objective_ggn                      status objective ptr operator*
dyn_objective_jacobian_map             status objective ptr operator*
dyn_objective_map                      status ctx model i32 ptr ptr objective*
dyn_objective_nonfinite                status objective ptr ptr i64
dyn_objective_jacobian                 status objective ptr ptr
dyn_objective_sample_gradients         status objective ptr ptr
dyn_objective_from_function            status ctx ptr ptr ptr ptr objective*
dyn_objective_sum                      status ctx i32 ptr ptr objective*
dyn_objective_set_data                 status objective str array
dyn_objective_models                   i32    objective
dyn_objective_member                   model  objective i32 ptr
dyn_objective_tensors                  i32    objective
dyn_objective_terms                    i32    objective
dyn_objective_term_name                str    objective i32
dyn_objective_term_values              status objective ptr ptr
dyn_objective_coupling                 str    objective i32
dyn_objective_tensor                   i32    objective i32 ptr ptr ptr i64
dyn_objective_values                   status objective i64 ptr ptr
dyn_objective_inside_count             i32    objective
dyn_objective_inside                   i32    objective i32 ptr ptr i64
dyn_objective_inside_values            status objective ptr i32 ptr ptr ptr
dyn_objective_power                    status ctx i64 i32 objective*
dyn_objective_quadratic                status ctx i64 ptr objective*
dyn_objective_rosenbrock               status ctx i64 objective*
dyn_objective_noise                    status objective ptr i64 u64 ptr

# minimise.h, flow.h
dyn_objective_minimise                 status objective ptr ptr ptr
dyn_objective_flow                     status objective ptr i64 ptr ptr ptr ptr
dyn_objective_learning_coefficient     status objective ptr ptr ptr ptr
dyn_objective_langevin                 status objective ptr i64 ptr ptr

# operator.h
dyn_operator_from_callback             status ctx i64 ptr ptr operator*
dyn_operator_ref                       operator operator
dyn_operator_unref                     void   operator
dyn_operator_from_callbacks            status ctx i64 i64 ptr ptr ptr operator*
dyn_operator_low_rank                  status ctx i64 i64 i64 ptr ptr ptr operator*
dyn_operator_apply_adjoint             status operator i64 ptr ptr
dyn_operator_rows                      i64    operator
dyn_operator_transposed                status operator operator*
dyn_operator_gram                      status operator operator*
dyn_operator_composed                  status operator operator operator*
dyn_operator_kronecker                 status operator operator operator*
dyn_operator_adjointness               status operator u64 ptr
dyn_operator_apply                     status operator i64 ptr ptr
dyn_operator_size                      i64    operator
dyn_operator_product_errors            status operator i64 ptr ptr
dyn_operator_products                  i64    operator
dyn_operator_scaled                    status operator f64 operator*
dyn_operator_shifted                   status operator f64 operator*
dyn_operator_sum                       status operator operator operator*
dyn_operator_sandwiched                status operator ptr operator*
dyn_operator_deflated                  status operator i64 ptr ptr operator*
dyn_operator_projected                 status operator i64 ptr operator*
dyn_operator_restricted                status operator i64 ptr operator*
dyn_operator_dense                     status operator ptr
dyn_operator_symmetry                  status operator u64 ptr

# optim.h
dyn_optimizer_create                   status ctx i64 i32 ptr optimizer*
dyn_optimizer_free                     void   optimizer
dyn_optimizer_step                     status optimizer ptr ptr
dyn_optimizer_steps                    i64    optimizer
dyn_optimizer_rate                     f64    optimizer i64
dyn_optimizer_moment                   status optimizer i32 ptr
dyn_optimizer_preconditioner           status optimizer ptr ptr
dyn_optimizer_threshold                f64    optimizer
dyn_optimizer_defaults                 status i32 ptr
dyn_optimizer_curvature                status optimizer ptr
dyn_optimizer_perturb                  status optimizer ptr ptr ptr

# phase.h
dyn_phase_regime                       i32    f64 f64
dyn_phase_crossings                    status ctx i64 i64 ptr ptr f64 ptr
dyn_phase_centred_targets              status model ptr i64 ptr ptr ptr

# plan.h
dyn_plan_compile                       status graph i32 ptr ptr plan*
dyn_plan_ref                           plan   plan
dyn_plan_unref                         void   plan
dyn_plan_bytes                         i64    plan
dyn_plan_inputs                        i32    plan
dyn_plan_input_name                    str    plan i32
dyn_plan_input_size                    i64    plan i32 ptr
dyn_plan_output_size                   i64    plan i32
dyn_plan_steps                         i32    plan
dyn_plan_step                          i32    plan i32 ptr i64 ptr
dyn_exec_profile                       status exec i32 ptr
dyn_plan_print                         i64    plan ptr i64
dyn_exec_create                        status plan exec*
dyn_exec_free                          void   exec
dyn_exec_bind                          status exec str i32 i64 ptr
dyn_exec_bind_output                   status exec i32 i32 i64 ptr
dyn_exec_run                           status exec

# plateaus.h
dyn_episodes_plateaus                  status ctx i64 ptr ptr ptr episodes*
dyn_loss_histogram                     status ctx i64 ptr ptr i64 f64 f64 ptr

# random.h
dyn_random_uniform                     status ctx u64 u32 i64 i64 ptr
dyn_random_normal                      status ctx u64 u32 i64 i64 ptr
dyn_random_permutation                 status ctx u64 u32 i64 ptr

# rank.h
dyn_rank_matrix                        status ctx i64 i64 ptr ptr rank*
dyn_rank_at                            status model ptr i64 ptr ptr rank*
dyn_rank_model                         status model ptr ptr rank*
dyn_rank_operator                      status operator ptr rank*
dyn_rank_remainder                     f64    rank ptr
dyn_rank_memory                        i64    model i64 ptr
dyn_rank_free                          void   rank
dyn_rank_value                         i64    rank
dyn_rank_by_tolerance                  i64    rank ptr
dyn_rank_by_gap                        i64    rank ptr
dyn_rank_singular_values               ptr    rank ptr
dyn_rank_tolerance                     f64    rank
dyn_rank_rows                          i64    rank
dyn_rank_columns                       i64    rank
dyn_rank_zero_columns                  i64    rank
dyn_rank_accurate                      i32    rank

# recovery.h
dyn_recovery_samples                   status ctx i64 i64 ptr i64 i64 ptr ptr ptr ptr
dyn_recovery_slack                     status ctx i64 i64 ptr i64 ptr f64 ptr

# recurrent.h
dyn_model_recurrent                    status ctx ptr model*

# replicas.h
dyn_replicas_create                    status objective ptr replicas*
dyn_replicas_free                      void   replicas
dyn_replicas_train                     status replicas i64
dyn_replicas_stop                      void   replicas
dyn_replicas_count                     i64    replicas
dyn_replicas_run                       run    replicas i64
dyn_replicas_results                   status replicas ptr ptr

# safetensors.h
dyn_safetensors_open                   status ctx str safetensors*
dyn_safetensors_free                   void   safetensors
dyn_safetensors_count                  i64    safetensors
dyn_safetensors_name                   str    safetensors i64
dyn_safetensors_read                   status safetensors str array*
dyn_safetensors_write                  status ctx str i64 ptr ptr
dyn_cifar_read                         status ctx str i32 array* array*

# sharpness.h
dyn_sharpness_operator                 status operator ptr f64 operator*
dyn_sharpness_preconditioned           status operator ptr f64 ptr eigen*
dyn_sharpness_directional              status operator ptr f64 ptr ptr ptr
dyn_sharpness_limit                    status ctx ptr ptr
dyn_sharpness_tracker_create           status ctx i64 ptr sharpness_tracker*
dyn_sharpness_tracker_free             void   sharpness_tracker
dyn_sharpness_tracker_measure          status sharpness_tracker operator ptr f64 ptr ptr
dyn_sharpness_tracker_raw              eigen  sharpness_tracker
dyn_sharpness_tracker_preconditioned   eigen  sharpness_tracker
dyn_sharpness_tracker_directional      void   sharpness_tracker ptr ptr
dyn_sharpness_observe                  status sharpness_tracker run ptr
dyn_episodes_free                      void   episodes
dyn_episodes_count                     i64    episodes
dyn_episodes_starts                    ptr    episodes
dyn_episodes_ends                      ptr    episodes
dyn_episodes_peaks                     ptr    episodes
dyn_episodes_above                     status ctx i64 ptr ptr ptr episodes*
dyn_episodes_spikes                    status ctx i64 ptr ptr ptr episodes*
dyn_episodes_sustained                 status ctx i64 ptr ptr
dyn_episodes_confusion                 status episodes episodes i64 ptr ptr ptr

# solve.h
dyn_operator_solve                     status operator ptr ptr ptr ptr ptr
dyn_operator_exponential               status operator f64 ptr f64 i64 ptr ptr

# status.h
dyn_status_name                        str    status
dyn_status_text                        str    status

# central.h
dyn_objective_central_flow             status objective ptr i64 ptr ptr ptr ptr

# kfac.h
dyn_kfac_create                        status objective ptr ptr kfac*
dyn_kfac_free                          void   kfac
dyn_kfac_layers                        i32    kfac
dyn_kfac_layer                         status kfac i32 ptr ptr ptr ptr
dyn_kfac_a                             ptr    kfac i32
dyn_kfac_b                             ptr    kfac i32
dyn_kfac_eigenvalues                   ptr    kfac i32
dyn_kfac_operator                      status kfac operator*
dyn_kfac_inverse                       status kfac f64 i32 operator*
dyn_objective_empirical_fisher         status objective ptr i32 operator*

# landscape.h
dyn_direction_normalise                status objective ptr i32 ptr
dyn_trajectory_plane                   status ctx i64 i64 ptr i32 ptr ptr ptr
dyn_space_overlap                      status ctx i64 i64 ptr ptr ptr ptr
dyn_space_shares                       status ctx i64 i64 ptr ptr ptr
dyn_eigenvalue_gradient                status objective ptr eigen i64 f64 ptr ptr

# tangent.h
dyn_tangent_kernel                     status model ptr array array ptr ptr
dyn_kernel_alignment                   status ctx i64 ptr ptr i32 ptr
dyn_kernel_fit                         status ctx i64 ptr i64 ptr ptr ptr ptr

# train.h
dyn_run_create                         status objective ptr ptr ptr run*
dyn_run_free                           void   run
dyn_run_train                          status run i64
dyn_run_stop                           void   run
dyn_run_step                           i64    run
dyn_run_reason                         i32    run
dyn_run_theta                          status run ptr
dyn_run_set_theta                      status run ptr
dyn_run_set_parameters                 status run i32 i64 ptr
dyn_run_parameters                     ptr    run ptr
dyn_run_optimizer                      optimizer run
dyn_run_objective                      objective run
dyn_run_history                        ptr    run str ptr
dyn_run_observe                        status run ptr ptr ptr
dyn_run_observers                      i64    run
dyn_run_keep                           status run str i64 ptr
dyn_run_kept                           status run str ptr ptr
dyn_run_seconds                        f64    run
dyn_run_observer_cost                  status run i64 ptr ptr ptr
dyn_run_record                         status run str i64 ptr
dyn_run_series_count                   i64    run
dyn_run_series_name                    str    run i64
dyn_run_series                         status run str ptr ptr ptr ptr
dyn_run_save                           status run str
dyn_run_load                           status objective ptr ptr str run*
dyn_checkpoint_numerics                status ctx str i64 ptr
dyn_run_write_csv                      status run str
dyn_run_average                        status run i32 ptr
dyn_run_best                           status run ptr ptr ptr
dyn_run_columns                        i32    run
dyn_run_column_name                    str    run i32
dyn_run_states                         status run ptr
dyn_run_set_note                       status run str
dyn_run_note                           str    run
dyn_run_fingerprint                    status run ptr

# sweep.h
dyn_store_schema                       str
dyn_sweep_grid                         status i64 ptr ptr ptr ptr
dyn_sweep_create                       status ctx ptr sweep*
dyn_sweep_free                         void   sweep
dyn_sweep_train                        status sweep
dyn_sweep_stop                         void   sweep
dyn_sweep_result                       status sweep str f64
dyn_sweep_count                        i64    sweep
dyn_sweep_status                       i32    sweep i64
dyn_sweep_message                      str    sweep i64
dyn_sweep_column                       status sweep str ptr
dyn_sweep_member                       status sweep i64 ptr ptr
dyn_sweep_keep                         status sweep ptr i64
dyn_sweep_cost                         status sweep ptr ptr ptr ptr
dyn_sweep_share_plans                  status ctx ctx

# transformer.h
dyn_transformer_defaults               status i32 ptr
dyn_model_transformer                  status ctx ptr model*
"""

#: name, then field:type in the order of the struct
STRUCTS = """
dyn_condensation_options struct_size:u32 join_opposite:i32 amplitude:i32 reserved:u32 threshold:f64 min_share:f64
    dead:f64
dyn_ctx_options struct_size:u32 threads:i32 isa:i32 log_level:i32 alloc:ptr free:ptr alloc_user:ptr log:ptr
    log_user:ptr interrupt:ptr interrupt_user:ptr backend:i32 reserved:u32 numerics:ptr
dyn_cnn_options struct_size:u32 axes:i32 input:ptr convolutions:i32 dense:i32 channels:ptr hidden:ptr outputs:i64
    kernel:i64 stride:i64 padding:i64 activation:i32 dense_activation:i32 bias:i32 batch_norm:i32 global_pool:i32
    reserved:u32
dyn_resnet_options struct_size:u32 stages:i32 blocks:ptr height:i64 width:i64 channels:i64 base:i64 outputs:i64
    activation:i32 batch_norm:i32 large:i32 reserved:u32
dyn_eigen_options struct_size:u32 which:i32 count:i64 max_products:i64 subspace:i64 block:i64 start_count:i64
    tolerance:f64 seed:u64 unchecked:u32 tolerance_of:i32 start:ptr progress:ptr progress_user:ptr
dyn_trace_options struct_size:u32 method:i32 products:i64 seed:u64
dyn_factorisation_options struct_size:u32 factors:i32 widths:ptr
dyn_tensor_options struct_size:u32 order:i32 sizes:ptr rank:i64
dyn_diagonal_options struct_size:u32 depth:i32 inputs:i64 difference:i32 reserved:u32
dyn_polynomial_options struct_size:u32 degree:i32 inputs:i64 outputs:i64 bias:i32 reserved:u32
dyn_init_options struct_size:u32 kind:i32 scale:f64 bias_kind:i32 layers:i32 bias_scale:f64 layer_scale:ptr
    seed:u64 groups:ptr groups_count:i32 reserved:u32
dyn_perceptron_options struct_size:u32 widths_count:i32 widths:ptr activation:i32 no_bias:i32 activations:ptr
    bias:ptr no_output_bias:i32 antisymmetric:i32 output_scale:f64 parametrisation:i32 skip:i32 multipliers:ptr
    gamma:f64 gamma_prime:f64 dropout:f64
dyn_objective_options struct_size:u32 loss:i32 dtype:i32 half:i32 sum_samples:i32 mean_outputs:i32 l2:f64
    memory_limit:i64 delta:f64 label_smoothing:f64 weight:ptr penalties:ptr penalties_count:i32 reserved:u32
dyn_objective_view struct_size:u32 reserved:u32 size:i64 theta:ptr samples:i64 sample:ptr value:ptr gradient:ptr
    count:i64 v:ptr product:ptr
dyn_objective_functions struct_size:u32 reserved:u32 size:i64 samples:i64 value:ptr gradient:ptr hessian:ptr
    user:ptr
dyn_objective_parts struct_size:u32 models:i32 model:ptr model_name:ptr data:i32 reserved:u32 array:ptr name:ptr
    shared:ptr
dyn_optimizer_options struct_size:u32 kind:i32 rate:f64 beta1:f64 beta2:f64 eps:f64 weight_decay:f64
    clip_norm:f64 eps_inside:i32 no_bias_correction:i32 ema:i32 init_from_gradient:i32 schedule:i32 reserved:i32
    warmup:i64 period:i64 tick_steps:i64 warmup_start:f64 factor:f64 floor:f64 power:f64 peak:f64 period_factor:i64
    rate_at:ptr rate_user:ptr momentum:f64 momentum_decay:f64 accumulator:f64 gamma:f64 sam_rho:f64 adam_rate:f64
    amsgrad:i32 centered:i32 sam_adaptive:i32 nesterov:i32 match_rms:i32 iterations:i32 matrices_count:i64
    matrices:ptr curvature_every:i64 rule:ptr preconditioner:ptr rule_user:ptr moments:i32
    groups_count:i32 groups:ptr memory:i64
dyn_rule_view struct_size:u32 moments:i32 theta:i32 gradient:i32 rate:i32 step:i32 moment:ptr
dyn_minimise_options struct_size:u32 method:i32 memory:i64 max_evaluations:i64 gradient_tolerance:f64 stop_value:f64
    rate:f64 growth:f64 shrink:f64 progress:ptr progress_user:ptr
dyn_flow_options struct_size:u32 normalised:i32 relative:f64 absolute:f64 end:f64 stop_value:f64
    gradient_tolerance:f64 max_evaluations:i64 kink_count:i64 kinks:ptr kinks_user:ptr progress:ptr progress_user:ptr
dyn_langevin_options struct_size:u32 chain:u32 epsilon:f64 n_beta:f64 gamma:f64 weight_decay:f64 seed:u64
dyn_learning_coefficient_options struct_size:u32 chains:i32 draws:i64 between:i64 burn_in:i64 epsilon:f64
    n_beta:f64 gamma:f64 seed:u64
dyn_central_options struct_size:u32 kind:i32 rate:f64 beta2:f64 eps:f64 critical:f64 tolerance:f64 substeps:i32 most:i32
    progress:ptr progress_user:ptr
dyn_kfac_options struct_size:u32 columns:i32 draws:i32 reduce:i32 eigenvalues:i32 reserved:u32 seed:u64
dyn_anchor_options struct_size:u32 task:i32 split:i32 distance:i32 count:i64 length:i64 seed:u64 p:f64 pairs:u32
    operators:i32 gap:i32 variant:i32
dyn_chain_options struct_size:u32 kind:i32 split:i32 steps:i32 count:i64 length:i64 seed:u64
dyn_plan_options struct_size:u32 threads:i32 arena_limit:i64 unfused:i32 reserved:u32
dyn_tangent_options struct_size:u32 traced:i32 memory_limit:i64
dyn_kernel_fit_options struct_size:u32 reserved:u32 ridge:f64 time:f64 tolerance:f64
dyn_rank_options struct_size:u32 rule:i32 tolerance:f64 probes:i64 probe_std:f64 seed:u64 memory_limit:i64
dyn_recurrent_options struct_size:u32 cell:i32 layers:i32 last:i32 vocabulary:i64 inputs:i64 length:i64 width:i64
    outputs:i64 bias:i32 tied:i32
dyn_replicas_options struct_size:u32 reserved:u32 count:i64 optimizer_count:i64 optimizers:ptr run_count:i64
    runs:ptr init_count:i64 inits:ptr theta:ptr progress:ptr progress_user:ptr
dyn_sharpness_options struct_size:u32 which:i32 count:i64 max_products:i64 tolerance:f64 seed:u64 unchecked:i32
    no_raw:i32 cold:i32 history:i32
dyn_plateau_options struct_size:u32 reserved:u32 change:f64 length:f64
dyn_spike_options struct_size:u32 reserved:u32 window:i64 merge:i64 smooth:i64 ratio:f64
dyn_solve_options struct_size:u32 method:i32 tolerance:f64 max_products:i64 progress:ptr progress_user:ptr
dyn_run_options struct_size:u32 drop_last:i32 steps:i64 batch:i64 seed:u64 record_every:i64 stop_loss:f64
    stop_accuracy:f64 accuracy_every:i64 progress_every:i64 progress:ptr progress_user:ptr validation:ptr
    validate_every:i64 patience:i64 keep_best:i32 any_numerics:i32 ema:f64 mean_from:i64
    gradient_tolerance:f64 accumulate:i64 feed:ptr feed_user:ptr
dyn_batch_view struct_size:u32 data:i32 step:i64 seed:u64 samples:i64 name:ptr dtype:ptr size:ptr rows:ptr
dyn_sweep_options struct_size:u32 retry:i32 any_numerics:i32 reserved:u32 count:i64 parameters:i64 names:ptr
    values:ptr make:ptr make_user:ptr ended:ptr ended_user:ptr store:ptr progress:ptr progress_user:ptr checkpoint_every:f64
dyn_run_view struct_size:u32 ending:i32 run:ptr step:i64 size:i64 loss:f64 rate:f64 theta:ptr gradient:ptr
dyn_schedule struct_size:u32 per_decade:i32 at_start:i32 at_end:i32 every:i64 count:i64 steps:ptr rest:f64
dyn_transformer_options struct_size:u32 layers:i32 vocabulary:i64 length:i64 width:i64 key_width:i64
    value_width:i64 hidden:i64 heads:i32 kv_heads:i32 norm:i32 rms:i32 norm_query_only:i32 position:i32
    activation:i32 gated:i32 bias:i32 output_bias:i32 causal:i32 residual:i32 mix:i32 project:i32 tied:i32 last:i32
    pad:i64 eps:f64 rotary_base:f64 embedding:ptr weights:ptr depth_scaled:i32 buffers:i32
    dropout:f64 buffer_scale:f64 buffer_seed:u64
"""

#: name, result, parameters
CALLBACKS = """
dyn_build_fn            i32  ptr ptr
dyn_log_fn              void ptr i32 str
dyn_progress_fn         i32  ptr f64 str
dyn_interrupt_fn        i32  ptr
dyn_spectral_fn         f64  ptr f64
dyn_model_build_fn      i32  ptr ptr i32
dyn_objective_fn        i32  ptr ptr
dyn_operator_apply_fn   i32  ptr i64 ptr ptr
dyn_kinks_fn            i32  ptr ptr ptr
dyn_rate_fn             f64  ptr i64
dyn_feed_fn             i32  ptr ptr
dyn_rule_fn             status ptr ptr ptr ptr
dyn_observer_fn         i32  ptr ptr
dyn_sweep_make_fn       status ptr ptr i64 ptr run*
dyn_sweep_ended_fn      i32  ptr ptr i64 ptr
"""

#: kind: (what the C names begin with, {name here: value}); the C name is the prefix with the name in capitals
ENUMERATORS = {
    "status": ("DYN_", {
        "ok": 0, "not_converged": 1, "stopped": 2, "einval": -1, "enomem": -2, "eshape": -3, "edtype": -4,
        "estate": -5, "efull": -6, "eio": -7, "eformat": -8, "eversion": -9, "eabi_size": -10, "eabi_old": -11,
        "eabi_new": -12, "enonfinite": -13, "enotsup": -14, "euser": -15, "einternal": -16,
        "einterrupted": -17}),
    "dtype": ("DYN_", {"f64": 0, "f32": 1, "i64": 2, "u8": 3}),
    "isa": ("DYN_ISA_", {"auto": 0, "reference": 1, "avx2": 2, "avx512": 3, "vector": 4}),
    "backend": ("DYN_BACKEND_", {"cpu": 0, "reference": 1}),
    "log_level": ("DYN_LOG_", {"error": 1, "warning": 2, "info": 3, "debug": 4}),
    "activation": ("DYN_", {
        "identity": 0, "tanh": 1, "relu": 2, "leaky_relu": 3, "sigmoid": 4, "gelu": 5, "gelu_tanh": 6, "silu": 7,
        "softplus": 8, "elu": 9, "sin": 10, "x_tanh": 11, "x2_tanh": 12, "square": 13, "cube": 14, "erf": 15}),
    "init": ("DYN_INIT_", {
        "default": 0, "normal": 1, "uniform": 2, "power": 3, "lecun": 4, "xavier": 5, "xavier_uniform": 6, "he": 7,
        "orthogonal": 8, "zero": 9, "width_power": 10, "constant": 11, "identity": 12,
        "uniform_power": 13, "as_weights": 14}),
    "parametrisation": ("DYN_PARAMETRISATION_", {
        "standard": 0, "ntk": 1, "mean_field": 2, "mup": 3, "normalised": 4}),
    "transformer": ("DYN_TRANSFORMER_", {"paper": 0, "gpt2": 1, "llama": 2}),
    "norm": ("DYN_NORM_", {"none": 0, "pre": 1, "post": 2}),
    "buffers": ("DYN_BUFFERS_", {"none": 0, "random": 1, "identity": 2}),
    "position": ("DYN_POSITION_", {"none": 0, "learned": 1, "sinusoidal": 2, "rotary": 3}),
    "drop": ("DYN_DROP_", {"elements": 0, "places": 1, "channels": 2}),
    "cell": ("DYN_CELL_", {"simple": 0, "gru": 1, "lstm": 2}),
    "loss": ("DYN_LOSS_", {
        "mse": 0, "cross_entropy": 1, "binary_cross_entropy": 2, "l1": 3, "huber": 4, "hinge": 5, "kl": 6}),
    "average": ("DYN_AVERAGE_", {"ema": 0, "mean": 1}),
    "optimizer": ("DYN_OPTIMIZER_", {
        "gd": 0, "heavy_ball": 1, "nesterov": 2, "adam": 3, "adamw": 4, "rmsprop": 5, "sign": 6,
        "adamax": 7, "nadam": 8, "adagrad": 9, "adadelta": 10, "lion": 11, "sophia": 12, "muon": 13, "rule": 14, "lbfgs": 15}),
    "rate": ("DYN_RATE_", {
        "constant": 0, "step": 1, "cosine": 2, "exponential": 3, "polynomial": 4, "restarts": 5, "one_cycle": 6,
        "callback": 7}),
    "minimise": ("DYN_MINIMISE_", {"lbfgs": 0, "newton": 1, "monotone": 2}),
    "minimise_reason": ("DYN_MINIMISE_", {"gradient": 1, "value": 2, "evaluations": 3, "stalled": 4, "stopped": 5}),
    "flow_reason": ("DYN_FLOW_", {
        "time": 1, "value": 2, "gradient": 3, "evaluations": 4, "stopped": 5, "step": 6,
        "sliding": 7}),
    "anchor": ("DYN_ANCHOR_", {
        "identity": 1, "reading": 2, "classification": 3, "composition": 4, "memory": 5, "synonym": 6, "recitation": 7,
        "multiple": 8, "statistical": 9, "two_intervals": 10, "distance": 11, "average": 12, "count": 13,
        "circular": 14, "before": 15, "index": 16, "choice": 17, "multitask": 18, "odd": 19, "middle": 20,
        "multi_composition": 21, "unified": 22}),
    "chain": ("DYN_CHAIN_", {"single": 0, "double": 1, "noised": 2, "order": 3, "thought": 4}),
    "split": ("DYN_SPLIT_", {"train": 0, "test": 1, "ood": 2}),
    "target": ("DYN_TARGET_", {
        "square": 0, "sin_4": 1, "four_relu": 2, "cup": 3, "two_tanh": 4, "two_relu": 5, "sin_5d": 6, "sin_3d": 7,
        "sin_3_6": 8, "tanh_10d": 9, "sin_6": 10, "sin_6_aliased": 11, "chebyshev_3": 12, "chebyshev_4": 13,
        "chebyshev_5": 14, "quadratic_50d": 15, "convolved": 16, "neuron": 17, "neuron_normal": 18, "neuron_3d": 19,
        "neuron_500d": 20}),
    "modular": ("DYN_MODULAR_", {"add": 0, "subtract": 1, "multiply": 2}),
    "observed": ("DYN_OBSERVED_", {"connected": 0, "random": 1}),
    "tolerance": ("DYN_TOLERANCE_", {"largest": 0, "each": 1, "absolute": 2}),
    "last_cluster": ("DYN_CLUSTER_", {"unknown": 0, "whole": 1, "cut": 2}),
    "which": ("DYN_", {"largest_algebraic": 0, "smallest_algebraic": 1, "largest_magnitude": 2, "both_ends": 3}),
    "trace": ("DYN_TRACE_", {"hutchpp": 0, "hutchinson": 1, "xtrace": 2}),
    "solve": ("DYN_SOLVE_", {"minres": 0, "gradients": 1}),
    "moments": ("DYN_MOMENTS_", {"columns": 0, "whole": 1}),
    "amplitude": ("DYN_AMPLITUDE_", {"default": 0, "product": 1, "norm": 2}),
    "regime": ("DYN_REGIME_", {"linear": -1, "critical": 0, "condensed": 1}),
    "adam_regime": ("DYN_ADAM_", {"stable": 0, "spike": 1, "sign": 2}),
    "rank_rule": ("DYN_RANK_", {"tolerance": 0, "gap": 1}),
    "direction_scale": ("DYN_DIRECTION_", {"filter": 0, "layer": 1, "weight": 2}),
    "central": ("DYN_CENTRAL_", {"gd": 0, "rmsprop": 1}),
    "kfac_columns": ("DYN_KFAC_", {"exact": 0, "sampled": 1, "empirical": 2}),
    "kfac_damping": ("DYN_KFAC_DAMP_", {"exact": 0, "pi": 1, "sqrt": 2, "factors": 3}),
    "path": ("DYN_PATH_", {"bezier": 0, "chain": 1}),
    "member_status": ("DYN_MEMBER_", {"waiting": 0, "done": 1, "nonfinite": 2, "failed": 3}),
    "reason": ("DYN_RUN_", {
        "ready": 0, "steps": 1, "loss": 2, "accuracy": 3, "stopped": 4, "nonfinite": 5, "failed": 6,
        "patience": 7, "gradient": 8, "stalled": 9}),
}
