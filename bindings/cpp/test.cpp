/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The C++ header: a program from context to the three measurements, and errors as exceptions. */
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <dyn/dyn.hpp>

static int passed, failed;

static void check(const char *name, bool good)
{
    std::printf("%s - %s\n", good ? "ok" : "not ok", name);
    (good ? passed : failed)++;
}

static void test_graph(const dyn::context &ctx)
{
    const std::vector<std::int64_t> shape{3};
    const std::vector<double> x{-1.0, 0.25, 2.0};
    std::vector<double> y(3);
    bool good = true;

    auto g = ctx.make(dyn_graph_create, DYN_F64);
    dyn_node in = ctx.check(dyn_graph_input(g.get(), "x", 1, shape.data()));
    dyn_node out = ctx.check(dyn_graph_tanh(g.get(), in));
    auto plan = ctx.make(dyn_plan_compile, g, 1, &out, nullptr);
    auto exec = ctx.make(dyn_exec_create, plan);
    ctx.call(dyn_exec_bind, exec, "x", DYN_F64, 3, x);
    ctx.call(dyn_exec_bind_output, exec, 0, DYN_F64, 3, y);
    ctx.call(dyn_exec_run, exec);
    for (std::size_t i = 0; i < x.size(); i++)
        good = good && std::fabs(y[i] - std::tanh(x[i])) < 1e-14;
    check("graph, plan, executor", good);
}

static void test_training(const dyn::context &ctx)
{
    std::vector<double> x, y;

    for (int i = 0; i < 20; i++) {
        x.push_back(-1.0 + 0.1 * i);
        y.push_back(std::sin(3.0 * x.back()));
    }
    auto inputs = dyn::array(ctx, x, {20, 1});
    auto targets = dyn::array(ctx, y, {20, 1});
    auto model = dyn::perceptron(ctx, {1, 8, 1}, DYN_TANH);
    auto objective = ctx.make(dyn_objective_create, model, inputs, targets, nullptr);
    auto adam = dyn::options<dyn_optimizer_options>();
    adam.kind = DYN_OPTIMIZER_ADAM;
    adam.rate = 0.01;
    auto run = ctx.make(dyn_run_create, objective, adam, nullptr, dyn::initial(ctx, model));
    ctx.call(dyn_run_train, run, 200);
    auto loss = dyn::history(run, "loss");
    check("training lowers the loss", loss.size() > 100 && loss.back() < 0.5 * loss.front());

    auto theta = dyn::parameters(ctx, run);
    auto hessian = ctx.make(dyn_objective_hessian, objective, theta);
    auto pairs = ctx.make(dyn_eigen_solve, hessian, nullptr);
    check("eigenvalue of the Hessian", dyn::values(pairs).size() == 1 && dyn::values(pairs)[0] > 0.0);
    auto rank = ctx.make(dyn_rank_model, model, theta, nullptr);
    check("model rank", dyn_rank_value(rank.get()) > 0 && !dyn::singular_values(rank).empty());

    std::vector<double> features(16);
    ctx.call(dyn_condensation_features, model, theta, 1, features, nullptr);
    auto condensation = ctx.make(dyn_condensation_measure, 8, 2, features, 0, nullptr, nullptr);
    check("condensation", dyn_condensation_neurons(condensation.get()) == 8);
}

static void test_families(const dyn::context &ctx)
{
    auto opt = dyn::options<dyn_transformer_options>();
    opt.length = 20;
    opt.layers = opt.heads = 4;
    auto model = ctx.make(dyn_model_transformer, opt);
    check("a family from its options", dyn_model_size(model.get()) == 5653801);      // arXiv 2401.08309

    auto g = ctx.make(dyn_graph_create, DYN_F64);
    const std::vector<std::int64_t> x{2, 8, 8, 3}, w{3, 3, 3, 5}, padding{DYN_SAME, DYN_SAME};
    dyn_node in = ctx.check(dyn_graph_input(g.get(), "x", 4, x.data()));
    dyn_node kernel = ctx.check(dyn_graph_parameter(g.get(), "w", 4, w.data()));
    dyn_node y = ctx.check(dyn_layer_conv(g.get(), in, kernel, DYN_NO_NODE, nullptr, padding.data(), nullptr, 1));
    std::vector<std::int64_t> shape(DYN_MAX_RANK);
    check("a layer on nodes", dyn_graph_shape(g.get(), y, shape.data()) == 4 && shape[1] == 8 && shape[3] == 5);
}

static void test_errors(const dyn::context &ctx)
{
    try {
        dyn::perceptron(ctx, {3}, DYN_TANH);
        check("an error throws", false);
    } catch (const dyn::error &e) {
        check("an error throws", e.status() == DYN_EINVAL && std::string(e.what()).find("dyn_model_perceptron") == 0);
    }
    try {
        dyn::array(ctx, {1.0, 2.0}, {3});
        check("a wrong shape throws", false);
    } catch (const dyn::error &e) {
        check("a wrong shape throws", e.status() == DYN_ESHAPE);
    }
}

static void test_handles(dyn::context ctx)
{
    auto a = dyn::array(ctx, {1.0}, {1});
    dyn::context other = std::move(ctx);
    dyn::handle<dyn_array> b = std::move(a);

    check("handles move", !a && b && !ctx.get() && other.get());
    check("handles of what has one owner do not copy", !std::is_copy_constructible_v<dyn::handle<dyn_run>> &&
                                     !std::is_copy_constructible_v<dyn::context>);
}

static void test_copies(const dyn::context &ctx)
{
    auto a = dyn::array(ctx, {1.0, 2.0}, {2});
    auto b = a;
    dyn::handle<dyn_array> c;

    c = b;
    a.reset();
    b = dyn::handle<dyn_array>();
    check("a copy of a handle is a reference of its own", !a && !b && dyn_array_size(c.get()) == 2);
    static_assert(std::is_copy_constructible_v<dyn::handle<dyn_model>> && std::is_copy_assignable_v<dyn::handle<dyn_plan>>);
    static_assert(!std::is_copy_constructible_v<dyn::handle<dyn_run>> && !std::is_copy_constructible_v<dyn::handle<dyn_graph>>);
    static_assert(std::is_nothrow_move_constructible_v<dyn::handle<dyn_array>>);
}

static void test_callbacks(const dyn::context &ctx)
{
    std::vector<std::int64_t> steps;
    std::int64_t last = 3;
    dyn::callback<dyn_objective_fn> square(ctx, [](const dyn_objective_view *at) {
        *at->value = at->theta[0] * at->theta[0];
        if (at->gradient)
            at->gradient[0] = 2 * at->theta[0];
        return 0;
    });
    auto functions = dyn::options<dyn_objective_functions>();
    functions.size = 1;
    functions.value = functions.gradient = square.function;
    functions.user = square.user();
    auto objective = ctx.make(dyn_objective_from_callbacks, functions);
    auto run = ctx.make(dyn_run_create, objective, nullptr, nullptr, std::vector<double>{1.0});
    dyn::callback<dyn_observer_fn> watch(ctx, [&](const dyn_run_view *at) {
        steps.push_back(at->step);
        if (at->step == 5)
            throw std::out_of_range("five");
        return at->step == last ? std::int32_t{DYN_STOPPED} : 0;
    });
    ctx.call(dyn_run_observe, run, watch.function, watch.user(), nullptr);
    check("a callback captures and stops", ctx.call(dyn_run_train, run, 10) == DYN_STOPPED && steps.size() == 4);
    bool thrown = false;
    try {
        ctx.call(dyn_run_train, run, 10);
    } catch (const std::out_of_range &e) {
        thrown = std::string(e.what()) == "five";
    }
    check("what a callback throws comes out of the call", thrown);
    check("and only once", dyn::parameters(ctx, run).size() == 1);
}

int main()
{
    dyn::context ctx;

    test_graph(ctx);
    test_training(ctx);
    test_families(ctx);
    test_errors(ctx);
    test_handles(dyn::context());
    test_copies(ctx);
    test_callbacks(ctx);
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
