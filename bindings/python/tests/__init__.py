# SPDX-License-Identifier: BSD-3-Clause
"""A package of its own name, so that no other of that name, which some distributions install, is taken for it."""
