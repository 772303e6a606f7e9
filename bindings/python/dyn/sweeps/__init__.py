# SPDX-License-Identifier: BSD-3-Clause
"""Sweeps: many trainings as one experiment, their store and what is read from it.

points.py what the members are; labels.py what tells them apart; member.py one of them; pool.py where they run; store.py the file;
lock.py who may write it; sweep.py the whole."""
from .store import Member
from .sweep import Sweep

__all__ = ["Member", "Sweep"]
