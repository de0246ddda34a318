"""Numerics and figures of the fine-tuning labs: pure functions on numpy arrays, one function per figure."""

import numpy  # noqa: F401  # its libraries must be loaded before they can be limited
from threadpoolctl import threadpool_limits

# The matrices of the labs are small: a second thread waits more than it works (26 s against 3 s of
# processor time for the masking lab on two busy cores). Results do not depend on it, times do.
threadpool_limits(limits=1, user_api="blas")
