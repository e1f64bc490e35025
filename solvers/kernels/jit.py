"""How kernels are compiled. Only entry points get a cache file and a Python wrapper: both cost about as much
compile time as the code of a small helper, which is compiled into its callers anyway."""

from __future__ import annotations

from numba import njit

entry = njit(cache=True, nogil=True)
helper = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
inlined = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)
