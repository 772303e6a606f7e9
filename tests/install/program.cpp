/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A C++17 program outside the tree: random numbers and an error, through <dyn/dyn.hpp>. */
#include <cstdio>
#include <dyn/dyn.hpp>

int main()
{
    dyn::context ctx;
    std::vector<double> u(1000);
    double sum = 0.0;

    ctx.call(dyn_random_uniform, std::uint64_t{1}, 0u, std::int64_t{0}, std::int64_t{1000}, u);
    for (double x : u)
        sum += x;
    try {
        ctx.make(dyn_graph_create, 99);
    } catch (const dyn::error &e) {
        return e.status() == DYN_EINVAL && sum > 450.0 && sum < 550.0 ? 0 : 1;
    }
    std::fprintf(stderr, "an unknown element type was accepted\n");
    return 1;
}
