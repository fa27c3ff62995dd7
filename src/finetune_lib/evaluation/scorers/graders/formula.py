"""The formula by which a `multi` grader joins the scores of others."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

LONGEST = 2000
FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
LISTS = ("min", "max")
OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


def problems(formula: str, names: Collection[str]) -> Iterator[str]:
    """What keeps a formula from being computed with these names."""
    try:
        tree = _parsed(formula)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        yield f"{formula[:80]!r} is no formula: {getattr(error, 'msg', None) or error}"
        return
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if id(node) not in called and (told := _problem(node, names)):
            yield told


def value_of(formula: str, scores: Mapping[str, float]) -> float:
    """The value of a formula without problems.

    Raises:
        ValueError: It has none for these scores, as of a division by 0.
    """
    try:
        value = _value(_parsed(formula).body, scores)
    except (ArithmeticError, ValueError) as error:
        raise ValueError(f"{formula} has no value: {error}") from error
    if isinstance(value, complex) or not math.isfinite(value):
        raise ValueError(f"{formula} has no finite value")
    return float(value)


def _parsed(formula: str) -> ast.Expression:
    if len(formula) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    return ast.parse(formula.strip().replace("^", "**"), mode="eval")


def _problem(node: ast.AST, names: Collection[str]) -> str | None:
    match node:
        case ast.Expression() | ast.operator() | ast.unaryop() | ast.expr_context():
            return None
        case ast.BinOp(op=op) if type(op) in OPERATIONS:
            return None
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return None
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            right = len(args) == 1 or (len(args) > 1 and name in LISTS)
            return None if right else f"{name} takes one value, not {len(args)}"
        case ast.Name(id=name) if name in names:
            return None
        case ast.Name(id=name):
            return f"{name} is no grader: there are {', '.join(sorted(names)) or 'none'}"
        case ast.Constant(value=value) if type(value) in (int, float):
            return None
        case _:
            source = ast.unparse(node)[:60] or type(node).__name__
            return f"it may have numbers, names of graders, + - * / ^ and {', '.join(FUNCTIONS)}, no {source}"


def _value(node: ast.expr, scores: Mapping[str, float]) -> Any:
    """Of floats alone: no power of theirs takes long."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return float(scores[name])
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, scores)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATIONS[type(op)](_value(left, scores), _value(right, scores))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_value(arg, scores) for arg in args]
            return FUNCTIONS[name](values if name in LISTS else values[0])
        case _:
            raise ValueError("it has a part that is no arithmetic")
