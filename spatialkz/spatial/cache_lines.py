"""Operations of the kernels on one cache line of cells at once.

Compilers leave half of the widest vectors unused where they choose the width themselves; here a vector is a
line, and processors with narrower ones split it. Rows that begin where a line begins are read twice as fast.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spatialkz.spatial.engine import LINE_BYTES


def _line(context: Any, builder: Any, kind: Any, array: Any, index: list[Any]) -> Any:
    """Pointer to the vector that begins at ``array[index]``."""
    struct = context.make_array(kind)(context, builder, array)
    cell = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]
        context, builder, kind, struct, index, wraparound=False
    )
    vector = ir.VectorType(context.get_data_type(kind.dtype), LINE_BYTES // _size(kind))
    return builder.bitcast(cell, vector.as_pointer())


def _size(kind: Any) -> int:
    """Bytes of a cell."""
    return int(kind.dtype.bitwidth) // 8


@intrinsic
def prefetch_line(_: Any, array: Any, row: Any, column: Any) -> Any:
    """Ask the processor to fetch the line of ``array[row, column]``."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = _line(context, builder, array, arguments[0], list(arguments[1:]))
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        fetch = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, "llvm.prefetch.p0"
        )
        # For reading (0), to be kept in all caches (3), data (1).
        builder.call(fetch, [builder.bitcast(place, pointer), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, row, column), generate


@intrinsic
def copy_line(_: Any, target: Any, i: Any, k: Any, source: Any, row: Any, column: Any) -> Any:
    """``target[i, k:k + v] = source[row, column:column + v]`` for the v cells of a line."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        to = _line(context, builder, target, arguments[0], list(arguments[1:3]))
        found = _line(context, builder, source, arguments[3], list(arguments[4:]))
        builder.store(builder.load(found, align=_size(source)), to, align=_size(target))
        return context.get_dummy_value()

    return types.void(target, i, k, source, row, column), generate


@intrinsic
def add_products(_: Any, sums: Any, rows: Any, k: Any, own: Any, others: Any, weights: Any) -> Any:
    """Add to ``sums[k:k + v]``, for each of ``own``, row × weighted sum of its share of the ``others``.

    ``own``, ``others`` and ``weights`` are tuples; the rows multiplied are ``rows[own[0], k:k + v]`` with the
    first ``len(others) / len(own)`` others, and so on.
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        column = arguments[2]
        first, second, factors = (
            cgutils.unpack_tuple(builder, several)  # type: ignore[no-untyped-call]
            for several in arguments[3:]
        )
        target = _line(context, builder, sums, arguments[0], [column])
        vector = target.type.pointee
        anything = ir.Constant(vector, ir.Undefined)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)

        def row(step: Any) -> Any:
            place = [builder.zext(step, column.type), column]
            return builder.load(_line(context, builder, rows, arguments[1], place), align=_size(rows))

        def everywhere(number: Any) -> Any:
            return builder.shuffle_vector(
                builder.insert_element(anything, number, ir.IntType(32)(0)), anything, zeros
            )

        total = builder.load(target, align=_size(sums))
        share = len(second) // len(first)
        for i, step in enumerate(first):
            terms = [
                builder.fmul(everywhere(weight), row(other), flags=["contract"])
                for other, weight in list(zip(second, factors, strict=True))[i * share : (i + 1) * share]
            ]
            # In pairs, so that fewer additions wait for each other.
            while len(terms) > 1:
                pairs = zip(terms[::2], terms[1::2], strict=True)
                terms = [builder.fadd(a, b, flags=["contract"]) for a, b in pairs]
            product = builder.fmul(row(step), terms[0], flags=["contract"])
            total = builder.fadd(total, product, flags=["contract"])
        builder.store(total, target, align=_size(sums))
        return context.get_dummy_value()

    return types.void(sums, rows, k, own, others, weights), generate
