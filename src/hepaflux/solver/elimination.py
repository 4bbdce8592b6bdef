"""Elimination: the solution of small sparse linear equations, written out without a loop.

Which entries are zero is known when the code is written, so only the others are touched. The order
is that of least fill (Markowitz HM 1957, Manage Sci 3:255), with pivots on the diagonal. They are
not searched for among the values, which would need branches: what is eliminated is I - h g J, whose
diagonal leads where steps are short. For pools that exchange mass it is an M-matrix, for which any
order of diagonal pivots is stable, however long the step (Funderlic RE, Plemmons RJ 1981, Linear
Algebra Appl 41:99). Elsewhere a pivot that happens to be near zero spoils the step, the error of
the step shows it, and a shorter one is tried.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hepaflux.solver.code import Number

Pair = tuple[int, int]


@dataclass(frozen=True)
class Elimination:
    """Where the factors of a matrix are.

    Attributes
    ----------
    order : tuple of int
        Unknowns in the order of their elimination.
    entries : tuple of (int, int)
        Row and column of everything that is not zero in the factors.
    """

    order: tuple[int, ...]
    entries: tuple[Pair, ...]

    def factors(self, matrix: Mapping[Pair, Number]) -> dict[Pair, Number]:
        """Write the factors of a matrix: below pivots multipliers, and pivots as reciprocals."""
        m: dict[Pair, Number] = dict(matrix)
        left = set(self.order)
        for p in self.order:
            left.remove(p)
            m[p, p] = 1.0 / m[p, p]
            for i in sorted(i for i in left if (i, p) in m):
                m[i, p] = m[i, p] * m[p, p]
                for k in sorted(k for k in left if (p, k) in m):
                    product = m[i, p] * m[p, k]
                    m[i, k] = m[i, k] - product if (i, k) in m else -product
        return m

    def solution(
        self, factors: Mapping[Pair, Number], right: Mapping[int, Number]
    ) -> dict[int, Number]:
        """Write the solution for one right-hand side, zero where it is absent."""
        x = dict(right)
        place = {p: i for i, p in enumerate(self.order)}
        for p in self.order:
            for i, k in self.entries:
                if k == p and place[i] > place[p] and p in x:
                    product = factors[i, p] * x[p]
                    x[i] = x[i] - product if i in x else -product
        for p in reversed(self.order):
            for i, k in self.entries:
                if i == p and place[k] > place[p] and k in x:
                    product = factors[p, k] * x[k]
                    x[p] = x[p] - product if p in x else -product
            if p in x:
                x[p] = x[p] * factors[p, p]
        return x


def eliminate(n: int, pairs: Collection[Pair]) -> Elimination:
    """Return the order of least fill for an n x n matrix with these entries and the diagonal."""
    filled = {*pairs, *((i, i) for i in range(n))}
    left, order = set(range(n)), []
    while left:
        rows = {p: {i for i in left - {p} if (i, p) in filled} for p in left}
        columns = {p: {k for k in left - {p} if (p, k) in filled} for p in left}
        p = min(sorted(left), key=lambda p: len(rows[p]) * len(columns[p]))
        filled |= {(i, k) for i in rows[p] for k in columns[p]}
        left.remove(p)
        order.append(p)
    return Elimination(tuple(order), tuple(sorted(filled)))
