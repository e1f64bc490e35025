"""How kernels are compiled.

Only entry points get a cache file and a Python wrapper: both cost about as much compile time as the code of
a small helper, which is compiled into its callers anyway. Without the runtime (`_nrt=False`) nothing counts
references to the arrays; what counts them spends more time on that than on the search. Such functions cannot
allocate, so entries that do are `allocating`.

No index in a kernel is negative: none counts from the end of an array. Numba would test every one for that, which
takes about a fifth of the time of a search, so the compiler is told that they are unsigned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import build_definitions, find_callname, get_definition, guard, mk_unique_var
from numba.core.untyped_passes import IRProcessing


@register_pass(mutates_CFG=False, analysis_only=False)
class UnsignedIndices(FunctionPass):
    """Turns `a[i]` into `a[np.uint64(i)]`, read or written, unless i is a slice."""

    _name = "unsigned_indices"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        blocks = state.func_ir.blocks
        for block in blocks.values():
            body: list[Any] = []
            for statement in block.body:
                access = statement.value if isinstance(statement, ir.Assign) else statement
                indexed = isinstance(access, ir.SetItem) or (
                    isinstance(access, ir.Expr) and access.op == "getitem"
                )
                if indexed and not self._is_slice(state.func_ir, access.index):
                    access.index = self._unsigned(access.index, statement.loc, body)
                body.append(statement)
            block.body = body
        state.func_ir._definitions = build_definitions(blocks)
        return True

    @staticmethod
    def _is_slice(func_ir: Any, index: Any) -> bool:
        made_by = guard(get_definition, func_ir, index)
        if isinstance(made_by, ir.Const):
            return isinstance(made_by.value, slice)
        return (
            isinstance(made_by, ir.Expr)
            and made_by.op == "call"
            and guard(find_callname, func_ir, made_by) == ("slice", "builtins")
        )

    @staticmethod
    def _unsigned(index: Any, loc: Any, body: list[Any]) -> Any:
        convert, out = (ir.Var(index.scope, mk_unique_var(name), loc) for name in ("$uint64", "$index"))
        body.append(ir.Assign(ir.Global("uint64", np.uint64, loc), convert, loc))
        body.append(ir.Assign(ir.Expr.call(convert, [index], (), loc), out, loc))
        return out


class KernelCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's own compiler with `UnsignedIndices`."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(UnsignedIndices, IRProcessing)
        passes.finalize()
        return [passes]


bare = {"nogil": True, "_nrt": False, "pipeline_class": KernelCompiler}
unwrapped = {**bare, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

entry = njit(cache=True, **bare)
allocating = njit(cache=True, nogil=True)
helper = njit(**unwrapped)
inlined = njit(forceinline=True, **unwrapped)
