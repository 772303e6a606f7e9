/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libdyn for C++17: handles that free themselves and errors that are exceptions. Nothing of the C interface is hidden or
 * renamed; two members of dyn::context carry it over:
 *     ctx.make(dyn_something_create, arguments...)    calls it and returns what its last parameter receives, as a handle
 *     ctx.call(dyn_something_do, arguments...)        calls it and returns its status, which is never an error
 * A first parameter of type dyn_ctx * is filled in. Handles, vectors and option structs are passed as they are. Handles
 * of objects that count their references (arrays, models, objectives, operators, plans) copy; the others move.
 * Functions of the caller may capture: see dyn::callback. */
#ifndef DYN_DYN_HPP
#define DYN_DYN_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "dyn/dyn.hpp needs C++17: compile with -std=c++17 or newer, or include dyn/dyn.h, which is C"
#endif

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>
#include <dyn/dyn.h>

namespace dyn {

/** What a failed call throws: what() is the context's message, status() the code. */
class error : public std::runtime_error {
public:
    error(dyn_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    dyn_status status() const noexcept { return status_; }

private:
    dyn_status status_;
};

/** How the last reference to an object of each type is given back. */
struct release {
    void operator()(dyn_ctx *p) const noexcept { dyn_ctx_free(p); }
    void operator()(dyn_array *p) const noexcept { dyn_array_unref(p); }
    void operator()(dyn_npz *p) const noexcept { dyn_npz_free(p); }
    void operator()(dyn_graph *p) const noexcept { dyn_graph_free(p); }
    void operator()(dyn_plan *p) const noexcept { dyn_plan_unref(p); }
    void operator()(dyn_exec *p) const noexcept { dyn_exec_free(p); }
    void operator()(dyn_model *p) const noexcept { dyn_model_unref(p); }
    void operator()(dyn_objective *p) const noexcept { dyn_objective_unref(p); }
    void operator()(dyn_check *p) const noexcept { dyn_check_free(p); }
    void operator()(dyn_operator *p) const noexcept { dyn_operator_unref(p); }
    void operator()(dyn_eigen *p) const noexcept { dyn_eigen_free(p); }
    void operator()(dyn_optimizer *p) const noexcept { dyn_optimizer_free(p); }
    void operator()(dyn_run *p) const noexcept { dyn_run_free(p); }
    void operator()(dyn_replicas *p) const noexcept { dyn_replicas_free(p); }
    void operator()(dyn_condensation *p) const noexcept { dyn_condensation_free(p); }
    void operator()(dyn_sharpness_tracker *p) const noexcept { dyn_sharpness_tracker_free(p); }
    void operator()(dyn_episodes *p) const noexcept { dyn_episodes_free(p); }
    void operator()(dyn_rank *p) const noexcept { dyn_rank_free(p); }
};

/** How one more reference to an object is taken, for the types that count them. */
struct retain {
    dyn_array *operator()(dyn_array *p) const noexcept { return dyn_array_ref(p); }
    dyn_plan *operator()(dyn_plan *p) const noexcept { return dyn_plan_ref(p); }
    dyn_model *operator()(dyn_model *p) const noexcept { return dyn_model_ref(p); }
    dyn_objective *operator()(dyn_objective *p) const noexcept { return dyn_objective_ref(p); }
    dyn_operator *operator()(dyn_operator *p) const noexcept { return dyn_operator_ref(p); }
};

template <class T> using single = std::unique_ptr<T, release>;

/** A reference to a counted object: a copy is one more. */
template <class T> class counted : public single<T> {
public:
    using single<T>::single;
    counted() noexcept = default;
    counted(counted &&) noexcept = default;
    counted(const counted &other) noexcept : single<T>(retain()(other.get())) {}
    counted &operator=(counted other) noexcept
    {
        this->swap(other);
        return *this;
    }
    ~counted() = default;
};

/** An owned object of the C interface. h.get() is the C handle. */
template <class T> using handle = std::conditional_t<std::is_invocable_v<retain, T *>, counted<T>, single<T>>;

/** Option structs with all defaults: auto o = dyn::options<dyn_run_options>(); */
template <class Options> Options options() noexcept;
template <> inline dyn_cnn_options options() noexcept { return DYN_CNN_OPTIONS_INIT; }
template <> inline dyn_condensation_options options() noexcept { return DYN_CONDENSATION_OPTIONS_INIT; }
template <> inline dyn_ctx_options options() noexcept { return DYN_CTX_OPTIONS_INIT; }
template <> inline dyn_diagonal_options options() noexcept { return DYN_DIAGONAL_OPTIONS_INIT; }
template <> inline dyn_eigen_options options() noexcept { return DYN_EIGEN_OPTIONS_INIT; }
template <> inline dyn_factorisation_options options() noexcept { return DYN_FACTORISATION_OPTIONS_INIT; }
template <> inline dyn_init_options options() noexcept { return DYN_INIT_OPTIONS_INIT; }
template <> inline dyn_objective_functions options() noexcept { return DYN_OBJECTIVE_FUNCTIONS_INIT; }
template <> inline dyn_objective_options options() noexcept { return DYN_OBJECTIVE_OPTIONS_INIT; }
template <> inline dyn_optimizer_options options() noexcept { return DYN_OPTIMIZER_OPTIONS_INIT; }
template <> inline dyn_perceptron_options options() noexcept { return DYN_PERCEPTRON_OPTIONS_INIT; }
template <> inline dyn_plan_options options() noexcept { return DYN_PLAN_OPTIONS_INIT; }
template <> inline dyn_polynomial_options options() noexcept { return DYN_POLYNOMIAL_OPTIONS_INIT; }
template <> inline dyn_rank_options options() noexcept { return DYN_RANK_OPTIONS_INIT; }
template <> inline dyn_recurrent_options options() noexcept { return DYN_RECURRENT_OPTIONS_INIT; }
template <> inline dyn_replicas_options options() noexcept { return DYN_REPLICAS_OPTIONS_INIT; }
template <> inline dyn_resnet_options options() noexcept { return DYN_RESNET_OPTIONS_INIT; }
template <> inline dyn_run_options options() noexcept { return DYN_RUN_OPTIONS_INIT; }
template <> inline dyn_schedule options() noexcept { return DYN_SCHEDULE_INIT; }
template <> inline dyn_sharpness_options options() noexcept { return DYN_SHARPNESS_OPTIONS_INIT; }
template <> inline dyn_plateau_options options() noexcept { return DYN_PLATEAU_OPTIONS_INIT; }
template <> inline dyn_spike_options options() noexcept { return DYN_SPIKE_OPTIONS_INIT; }
template <> inline dyn_tensor_options options() noexcept { return DYN_TENSOR_OPTIONS_INIT; }
template <> inline dyn_trace_options options() noexcept { return DYN_TRACE_OPTIONS_INIT; }
template <> inline dyn_transformer_options options() noexcept { return DYN_TRANSFORMER_OPTIONS_INIT; }

namespace detail {

template <class T> T *raw(const single<T> &h) noexcept { return h.get(); }
template <class T> T *raw(const counted<T> &h) noexcept { return h.get(); }
template <class T> T *raw(std::vector<T> &v) noexcept { return v.data(); }
template <class T> const T *raw(const std::vector<T> &v) noexcept { return v.data(); }
template <class T, class = std::enable_if_t<std::is_class_v<T>>> const T *raw(const T &options) noexcept { return &options; }
template <class T, class = std::enable_if_t<!std::is_class_v<T>>> T raw(T plain) noexcept { return plain; }
inline std::nullptr_t raw(std::nullptr_t) noexcept { return nullptr; }

template <class... P> using last = std::tuple_element_t<sizeof...(P) - 1, std::tuple<P...>>;
template <class... P> using first = std::tuple_element_t<0, std::tuple<P...>>;
template <class... P> using made = std::remove_pointer_t<std::remove_pointer_t<last<P...>>>;

/** What a function of the caller has thrown, on its way through C. */
struct thrown {
    std::mutex mutex;
    std::exception_ptr exception;

    void keep(std::exception_ptr e)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!exception)
            exception = std::move(e);
    }

    void raise()
    {
        std::unique_lock<std::mutex> lock(mutex);
        std::exception_ptr e = std::exchange(exception, nullptr);
        lock.unlock();
        if (e)
            std::rethrow_exception(e);
    }
};

}  // namespace detail

class context;

/**
 * A function of the caller's as the C interface takes it: pass function and user() where a dyn_..._fn and its user
 * pointer are wanted. It may capture. It must live as long as C may call it, in one place: it neither copies nor moves.
 * What it throws ends the work in C and comes out of the dyn::context's call that led there.
 *     dyn::callback<dyn_observer_fn> watch(ctx, [&](const dyn_run_view *at) { ... return 0; });
 *     ctx.call(dyn_run_observe, run, watch.function, watch.user(), nullptr);
 */
template <class Function> class callback;

template <class R, class... A> class callback<R (*)(void *, A...)> {
public:
    callback(const context &ctx, std::function<R(A...)> f);
    callback(const callback &) = delete;
    callback &operator=(const callback &) = delete;

    static R function(void *user, A... arguments) noexcept
    {
        auto *self = static_cast<callback *>(user);

        try {
            return self->f_(arguments...);
        } catch (...) {
            self->thrown_->keep(std::current_exception());
        }
        if constexpr (std::is_integral_v<R>)
            return DYN_EUSER;
        else
            return R();
    }

    void *user() noexcept { return this; }

private:
    std::function<R(A...)> f_;
    std::shared_ptr<detail::thrown> thrown_;
};

namespace detail {
inline void keep_text(void *user, std::int32_t, const char *text) { *static_cast<std::string *>(user) = text; }

/* There is no context that could hold the message: what the log of another try says, or the status alone. */
inline std::string why_no_context(dyn_ctx_options opt, dyn_status s)
{
    std::string said;
    dyn_ctx *made = nullptr;

    opt.log = keep_text;
    opt.log_user = &said;
    opt.log_level = DYN_LOG_ERROR;
    dyn_ctx_create(&opt, &made);
    dyn_ctx_free(made);
    return said.empty() ? std::string("dyn_ctx_create: ") + dyn_status_text(s) : said;
}
}

/** A context; movable. The objects made with it may outlive it. */
class context {
public:
    explicit context(const dyn_ctx_options &opt = options<dyn_ctx_options>())
    {
        dyn_ctx *made = nullptr;
        dyn_status s = dyn_ctx_create(&opt, &made);

        if (s < 0)
            throw error(s, detail::why_no_context(opt, s));
        ctx_.reset(made);
    }

    dyn_ctx *get() const noexcept { return ctx_.get(); }

    /** Throw if s is an error; else return it. Node numbers, which are negative for an error, go through it too. */
    std::int32_t check(std::int32_t s) const
    {
        thrown_->raise();
        if (s < 0)
            throw error(s, dyn_ctx_message(get()));
        return s;
    }

    template <class... P, class... A> dyn_status call(dyn_status (*function)(P...), A &&...arguments) const
    {
        if constexpr (std::is_same_v<detail::first<P...>, dyn_ctx *> && sizeof...(P) == sizeof...(A) + 1)
            return check(function(get(), detail::raw(std::forward<A>(arguments))...));
        else
            return check(function(detail::raw(std::forward<A>(arguments))...));
    }

    template <class... P, class... A> handle<detail::made<P...>> make(dyn_status (*function)(P...), A &&...arguments) const
    {
        detail::made<P...> *out = nullptr;

        call(function, std::forward<A>(arguments)..., &out);
        return handle<detail::made<P...>>(out);
    }

private:
    template <class Function> friend class callback;

    handle<dyn_ctx> ctx_;
    std::shared_ptr<detail::thrown> thrown_ = std::make_shared<detail::thrown>();
};

template <class R, class... A> callback<R (*)(void *, A...)>::callback(const context &ctx, std::function<R(A...)> f)
    : f_(std::move(f)), thrown_(ctx.thrown_)
{
}

/** An array with a copy of the data; the product of the shape must be data.size(). */
inline handle<dyn_array> array(const context &ctx, const std::vector<double> &data, const std::vector<std::int64_t> &shape)
{
    std::int64_t size = 1;

    for (std::int64_t n : shape)
        size *= n;
    if (size != static_cast<std::int64_t>(data.size()))
        throw error(DYN_ESHAPE, "dyn::array: " + std::to_string(data.size()) + " numbers for " + std::to_string(size));
    return ctx.make(dyn_array_create, std::int32_t{DYN_F64}, static_cast<std::int32_t>(shape.size()), shape, data);
}

/** A perceptron: widths of input, hidden layers and output; opt may set everything else. */
inline handle<dyn_model> perceptron(const context &ctx, const std::vector<std::int64_t> &widths, std::int32_t activation,
                                    dyn_perceptron_options opt = options<dyn_perceptron_options>())
{
    opt.widths = widths.data();
    opt.widths_count = static_cast<std::int32_t>(widths.size());
    opt.activation = activation;
    return ctx.make(dyn_model_perceptron, opt);
}

/** Initial parameters of a model [p]. */
inline std::vector<double> initial(const context &ctx, const handle<dyn_model> &model,
                                   const dyn_init_options &opt = options<dyn_init_options>())
{
    std::vector<double> theta(static_cast<std::size_t>(dyn_model_size(model.get())));

    ctx.call(dyn_model_initialise, model, opt, theta);
    return theta;
}

/** The present parameters of a run [p]. */
inline std::vector<double> parameters(const context &ctx, const handle<dyn_run> &run)
{
    std::vector<double> theta(static_cast<std::size_t>(dyn_objective_size(dyn_run_objective(run.get()))));

    ctx.call(dyn_run_theta, run, theta);
    return theta;
}

/** A column of a run's history; empty for an unknown name. */
inline std::vector<double> history(const handle<dyn_run> &run, const char *column)
{
    std::int64_t rows = 0;
    const double *data = dyn_run_history(run.get(), column, &rows);

    return data ? std::vector<double>(data, data + rows) : std::vector<double>();
}

/** Eigenvalues in the order asked for. */
inline std::vector<double> values(const handle<dyn_eigen> &e)
{
    const double *data = dyn_eigen_values(e.get());

    return std::vector<double>(data, data + dyn_eigen_count(e.get()));
}

/** Singular values behind a rank, descending. */
inline std::vector<double> singular_values(const handle<dyn_rank> &r)
{
    std::int64_t count = 0;
    const double *data = dyn_rank_singular_values(r.get(), &count);

    return std::vector<double>(data, data + count);
}

}  // namespace dyn

#endif
