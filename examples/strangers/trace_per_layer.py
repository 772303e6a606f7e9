# SPDX-License-Identifier: BSD-3-Clause
"""The trace of the Hessian of every tensor, as in schemes that choose bits per layer, with its standard error."""
import numpy as np

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 20, 10], seed=1)
run = dyn.Run(net, x, y, "cross_entropy", dyn.Adam(5e-3)).train(200)
H = dyn.hessian(run)
traces = {name: H.restricted(net.index(name)).trace(products=60) for name in net.tensors}
for name, found in traces.items():
    mean = found.value / net.tensors[name].size
    print(f"{name}: {found.value:.2f} ± {found.standard_error:.2f}, mean curvature {mean:.4f}")

# check: within four standard errors of the diagonal of the dense matrix
diagonal = net.views(np.diag(H.dense()).copy())
for name, found in traces.items():
    assert abs(found.value - diagonal[name].sum()) < 4 * found.standard_error + 1e-9, name
