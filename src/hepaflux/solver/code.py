"""Code: numbers of a program that is being written, with Python's operators for its instructions.

What is written is LLVM's language (llvmlite's builder). A number may be one double or a vector of
``LANES`` of them, with which the processor does one instruction for all; a single number meets a
vector as its copies. A product and a sum may become one instruction that rounds once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

LANES = 4
"""Numbers of a vector: a register of AVX2, two of the smaller ones of other processors."""

DOUBLE, WHOLE, TRUTH = ir.DoubleType(), ir.IntType(64), ir.IntType(1)
VECTOR = ir.VectorType(DOUBLE, LANES)
NUMBERS, WHOLES = ir.PointerType(DOUBLE), ir.PointerType(WHOLE)
NUMBER_BYTES = 8
SUFFIX = {DOUBLE: "f64", VECTOR: f"v{LANES}f64"}

ONE_AS_WHOLE = float(1023 << 52)
"""The bits of the double 1.0 as a whole number."""

ROUGH_CENTER = 0.97
"""Between the line 1 + x and the curve 2^x, which is up to 6 % below."""


class Number:
    """A double, a vector, a whole number or a truth that the code computes when it runs."""

    def __init__(self, code: "Code", value: ir.Value):
        self.code = code
        self.value = value

    @property
    def is_vector(self) -> bool:
        """Return whether it is a vector."""
        return self.value.type == VECTOR

    def __add__(self, other: Any) -> "Number":
        return self.code.arithmetic("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Number":
        return self.code.arithmetic("sub", self, other)

    def __rsub__(self, other: Any) -> "Number":
        return self.code.arithmetic("sub", other, self)

    def __mul__(self, other: Any) -> "Number":
        return self.code.arithmetic("mul", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Number":
        return self.code.arithmetic("div", self, other)

    def __rtruediv__(self, other: Any) -> "Number":
        return self.code.arithmetic("div", other, self)

    def __neg__(self) -> "Number":
        return Number(self.code, self.code.builder.fneg(self.value))

    def __lt__(self, other: Any) -> "Number":
        return self.code.compared("<", self, other)

    def __le__(self, other: Any) -> "Number":
        return self.code.compared("<=", self, other)

    def __gt__(self, other: Any) -> "Number":
        return self.code.compared(">", self, other)

    def __ge__(self, other: Any) -> "Number":
        return self.code.compared(">=", self, other)

    def equals(self, other: Any) -> "Number":
        """Return whether the two are equal."""
        return self.code.compared("==", self, other)

    def __and__(self, other: "Number") -> "Number":
        return Number(self.code, self.code.builder.and_(self.value, other.value))

    def __or__(self, other: "Number") -> "Number":
        return Number(self.code, self.code.builder.or_(self.value, other.value))

    def __invert__(self) -> "Number":
        return Number(self.code, self.code.builder.not_(self.value))

    def lane(self, i: int) -> "Number":
        """Return one number of a vector."""
        return Number(self.code, self.code.builder.extract_element(self.value, _index(i)))

    def with_lane(self, i: int, number: "Number") -> "Number":
        """Return the vector with one number replaced."""
        builder = self.code.builder
        return Number(self.code, builder.insert_element(self.value, number.value, _index(i)))

    def total(self) -> "Number":
        """Return the sum over the lanes of a vector."""
        pairs = [self.lane(i) + self.lane(i + 1) for i in range(0, LANES, 2)]
        return sum(pairs[1:], start=pairs[0])


class Room:
    """Numbers in memory, from an address on.

    ``room[i]`` is a number; ``room.vector(b)`` is the vector of those from ``b * LANES`` on.
    """

    def __init__(self, code: "Code", address: ir.Value):
        self.code = code
        self.address = address

    def _at(self, i: Any) -> ir.Value:
        return self.code.builder.gep(self.address, [self.code.number(i, WHOLE).value])

    def __getitem__(self, i: Any) -> Number:
        return Number(self.code, self.code.builder.load(self._at(i)))

    def __setitem__(self, i: Any, number: Any) -> None:
        self.code.builder.store(self.code.number(number).value, self._at(i))

    def after(self, i: Any) -> "Room":
        """Return the room that begins ``i`` numbers further on."""
        return Room(self.code, self._at(i))

    def vector(self, b: Any) -> Number:
        """Return the vector with number ``b``."""
        pointer = self._vector_at(b)
        return Number(self.code, self.code.builder.load(pointer, align=NUMBER_BYTES))

    def set_vector(self, b: Any, vector: Number) -> None:
        """Set the vector with number ``b``."""
        self.code.builder.store(vector.value, self._vector_at(b), align=NUMBER_BYTES)

    def _vector_at(self, b: Any) -> ir.Value:
        start = self._at(b * LANES)
        return self.code.builder.bitcast(start, ir.PointerType(VECTOR))


class Variable:
    """A number that changes while the code runs."""

    def __init__(self, code: "Code", first: Number):
        self._code = code
        with code.builder.goto_entry_block():
            self._address = code.builder.alloca(first.value.type)
        self.set(first)

    def get(self) -> Number:
        """Return its present value."""
        return Number(self._code, self._code.builder.load(self._address))

    def set(self, number: Any) -> None:
        """Give it another value."""
        kind = self._address.type.pointee
        self._code.builder.store(self._code.number(number, kind).value, self._address)


class Code:
    """A function that is being written."""

    def __init__(self, function: ir.Function):
        self.function = function
        self.builder = ir.IRBuilder(function.append_basic_block())

    @property
    def arguments(self) -> list[Any]:
        """Return the function's arguments: rooms where they are addresses, else numbers."""
        kinds = {NUMBERS: Room, WHOLES: Room}
        return [kinds.get(a.type, Number)(self, a) for a in self.function.args]

    def number(self, value: Any, kind: ir.Type = DOUBLE) -> Number:
        """Return a constant, or the number itself."""
        return value if isinstance(value, Number) else Number(self, ir.Constant(kind, value))

    def copies(self, number: Any) -> Number:
        """Return a vector of copies of a number."""
        number = self.number(number)
        if number.is_vector:
            return number
        if isinstance(number.value, ir.Constant):
            return Number(self, ir.Constant(VECTOR, [number.value.constant] * LANES))
        one = self.builder.insert_element(
            ir.Constant(VECTOR, ir.Undefined), number.value, _index(0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return Number(self, self.builder.shuffle_vector(one, one, mask))

    def vector(self, numbers: Sequence[Number | None]) -> Number:
        """Return the vector of some numbers, zero where there is none."""
        result = self.copies(0.0)
        for i, number in enumerate(numbers):
            if number is not None:
                result = result.with_lane(i, number)
        return result

    def room(self, size: int) -> Room:
        """Return memory for some numbers, which lasts until the function returns."""
        return self._memory(DOUBLE, size)

    def whole_room(self, size: int) -> Room:
        """Return memory for some whole numbers, which lasts until the function returns."""
        return self._memory(WHOLE, size)

    def _memory(self, kind: ir.Type, size: int) -> Room:
        with self.builder.goto_entry_block():
            address = self.builder.alloca(ir.ArrayType(kind, size))
            address.align = NUMBER_BYTES * LANES
            return Room(self, self.builder.gep(address, [_index(0), _index(0)]))

    def variable(self, first: Any, kind: ir.Type = DOUBLE) -> Variable:
        """Return a number that changes."""
        return Variable(self, self.number(first, kind))

    def arithmetic(self, name: str, left: Any, right: Any) -> Number:
        """Write one instruction for two numbers of the same kind."""
        left, right = self._alike(left, right)
        if left.value.type == WHOLE:
            return Number(self, getattr(self.builder, name)(left.value, right.value))
        instruction = getattr(self.builder, f"f{name}")
        return Number(self, instruction(left.value, right.value, flags=("contract",)))

    def compared(self, sign: str, left: Any, right: Any) -> Number:
        """Write a comparison; one with what is not a number is false."""
        left, right = self._alike(left, right)
        whole = left.value.type == WHOLE
        compare = self.builder.icmp_signed if whole else self.builder.fcmp_ordered
        return Number(self, compare(sign, left.value, right.value))

    def _alike(self, left: Any, right: Any) -> tuple[Number, Number]:
        whole = any(isinstance(n, Number) and n.value.type == WHOLE for n in (left, right))
        left, right = (self.number(n, WHOLE if whole else DOUBLE) for n in (left, right))
        if left.is_vector or right.is_vector:
            return self.copies(left), self.copies(right)
        return left, right

    def chosen(self, condition: Number, yes: Any, no: Any) -> Number:
        """Return one number or the other."""
        yes, no = self._alike(yes, no)
        return Number(self, self.builder.select(condition.value, yes.value, no.value))

    def larger(self, left: Any, right: Any) -> Number:
        """Return the larger of two numbers, the second if one is not a number."""
        left, right = self._alike(left, right)
        return self.chosen(left > right, left, right)

    def smaller(self, left: Any, right: Any) -> Number:
        """Return the smaller of two numbers, the second if one is not a number."""
        left, right = self._alike(left, right)
        return self.chosen(left < right, left, right)

    def intrinsic(self, name: str, *numbers: Any) -> Number:
        """Return a function that LLVM knows, of numbers of one kind."""
        values = [self.number(n).value for n in numbers]
        kind = values[0].type
        return self._outside(f"llvm.{name}.{SUFFIX[kind]}", kind, values)

    def library(self, name: str, number: Number) -> Number:
        """Return a function of the C library."""
        return self._outside(name, DOUBLE, [number.value])

    def _outside(self, name: str, kind: ir.Type, values: list[ir.Value]) -> Number:
        """Call a function of numbers of one kind that is defined elsewhere."""
        module = self.function.module
        function = module.globals.get(name)
        if function is None:
            function = ir.Function(module, ir.FunctionType(kind, [kind] * len(values)), name)
            function.attributes.add("nounwind")
            function.attributes.add("readnone")
        return Number(self, self.builder.call(function, values))

    def absolute(self, number: Number) -> Number:
        """Return the magnitude."""
        return self.intrinsic("fabs", number)

    def rough_power(self, number: Number, exponent: float) -> Number:
        """Return a power of a positive number to 4 %, for small exponents, without a call.

        The bits of a double, read as a whole number, are its logarithm but for what the mantissa's
        own logarithm differs from a straight line: at most 0.0861 of a factor of two, once on the
        way there, times the exponent, and once on the way back.
        """
        bits = Number(self, self.builder.bitcast(number.value, WHOLE))
        logarithm = Number(self, self.builder.sitofp(bits.value, DOUBLE)) - ONE_AS_WHOLE
        power = self.as_whole(exponent * logarithm + ONE_AS_WHOLE)
        return ROUGH_CENTER * Number(self, self.builder.bitcast(power.value, DOUBLE))

    def as_double(self, number: Number) -> Number:
        """Return a truth as 0 or 1; a double stays what it is."""
        if number.value.type == TRUTH:
            return Number(self, self.builder.uitofp(number.value, DOUBLE))
        return number

    def as_whole(self, number: Number) -> Number:
        """Return a double that is a whole number as such."""
        return Number(self, self.builder.fptosi(number.value, WHOLE))

    def call(self, function: ir.Function, *arguments: Any) -> Number:
        """Call another function of the same module."""
        kinds = function.function_type.args
        values = [
            a.address if isinstance(a, Room) else self.number(a, kind).value
            for a, kind in zip(arguments, kinds, strict=True)
        ]
        return Number(self, self.builder.call(function, values))

    def result(self, number: Any = None, kind: ir.Type = DOUBLE) -> None:
        """Return from the function."""
        if number is None:
            self.builder.ret_void()
        else:
            self.builder.ret(self.number(number, kind).value)

    @contextmanager
    def when(self, condition: Number) -> Iterator[None]:
        """Do what is written inside only where the condition holds."""
        with self.builder.if_then(condition.value):
            yield

    @contextmanager
    def repeat(self, condition: Callable[[], Number]) -> Iterator[None]:
        """Repeat what is written inside as long as the condition holds."""
        head, body, end = (self.function.append_basic_block() for _ in range(3))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        self.builder.cbranch(condition().value, body, end)
        self.builder.position_at_end(body)
        yield
        self.builder.branch(head)
        self.builder.position_at_end(end)

    @contextmanager
    def count(self, first: Any, last: Any) -> Iterator[Number]:
        """Repeat what is written inside for each whole number from ``first`` to before ``last``."""
        index = self.variable(first, WHOLE)
        with self.repeat(lambda: index.get() < last):
            i = index.get()
            yield i
            index.set(i + 1)


def _index(i: int) -> ir.Constant:
    return ir.Constant(ir.IntType(32), i)
