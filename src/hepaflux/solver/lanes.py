"""Lanes: which number of the extended vector z stands in which lane of which vector.

The states and their sensitivities are integrated as vectors, so that one instruction serves several
of them. The sensitivities of a state to the parameters stand side by side, in the same lanes for
every state: then those of dy_i/dt are sums of (d dy_i/dt / dy_k) times whole vectors.
"""

from dataclasses import dataclass

from hepaflux.solver.code import LANES
from hepaflux.solver.program import Layout


@dataclass(frozen=True)
class Block:
    """One vector of z.

    Attributes
    ----------
    state : int or None
        Whose sensitivities it holds; None for a vector of states alone.
    column : int
        Which of that state's vectors it is.
    components : tuple of (int or None)
        For each lane the component: a state, or behind the states the active pair of the layout;
        None for a lane that stays zero.
    """

    state: int | None
    column: int
    components: tuple[int | None, ...]


@dataclass(frozen=True)
class Arrangement:
    """Where everything stands.

    Attributes
    ----------
    blocks : tuple of Block
        In their order in memory.
    position : tuple of int
        Place in memory of each component.
    """

    blocks: tuple[Block, ...]
    position: tuple[int, ...]

    @property
    def size(self) -> int:
        """Return the length of z in memory."""
        return len(self.blocks) * LANES


def arrange(layout: Layout) -> Arrangement:
    """Return the arrangement with the fewest vectors.

    A state leads the row of its sensitivities, or all states stand in vectors of their own.
    """
    arrangements = (_arranged(layout, leading=True), _arranged(layout, leading=False))
    return min(arrangements, key=lambda arrangement: len(arrangement.blocks))


def _arranged(layout: Layout, *, leading: bool) -> Arrangement:
    n_states = len(layout.states)
    pairs = {pair: n_states + a for a, pair in enumerate(layout.active)}
    # Parameters that many states depend on come first, so that the other vectors are not needed.
    count = [sum(j == theta for _, j in layout.active) for theta in range(len(layout.theta))]
    order = sorted(range(len(count)), key=lambda j: (-count[j], j))
    blocks: list[Block] = []
    if not leading:
        blocks += [Block(None, c, part) for c, part in enumerate(_cut(list(range(n_states))))]
    for i in range(n_states):
        row = [*([i] if leading else []), *(pairs.get((i, j)) for j in order)]
        for column, part in enumerate(_cut(row)):
            if any(component is not None for component in part):
                blocks.append(Block(i, column, part))
    place = {
        component: b * LANES + lane
        for b, block in enumerate(blocks)
        for lane, component in enumerate(block.components)
        if component is not None
    }
    return Arrangement(tuple(blocks), tuple(place[c] for c in range(n_states + len(pairs))))


def _cut(row: list[int | None]) -> list[tuple[int | None, ...]]:
    padded = [*row, *[None] * (-len(row) % LANES)]
    return [tuple(padded[i : i + LANES]) for i in range(0, len(padded), LANES)]
