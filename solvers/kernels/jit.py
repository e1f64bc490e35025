"""How kernels are compiled.

Only entry points get a cache file and a Python wrapper: both cost about as much compile time as the code of
a small helper, which is compiled into its callers anyway. Without the runtime (`_nrt=False`) nothing counts
references to the arrays; what counts them spends more time on that than on the search. Such functions cannot
allocate, so entries that do are `allocating`.
"""

from __future__ import annotations

from numba import njit

entry = njit(cache=True, nogil=True, _nrt=False)
allocating = njit(cache=True, nogil=True)
helper = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)
inlined = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False, forceinline=True)
