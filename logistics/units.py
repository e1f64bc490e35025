"""Keys with another unit than the schema's: `speed_mph` for `speeds_kmh`, `service_min` for `service_s`."""

from __future__ import annotations

import difflib
from typing import Any

# unit -> (quantity, size in the quantity's base unit)
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("s", "sec", "secs", "seconds"), ("time", 1.0)),
    **dict.fromkeys(("min", "mins", "minutes"), ("time", 60.0)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("time", 3600.0)),
    "ms": ("time", 0.001),
    "days": ("time", 86_400.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), ("length", 1.0)),
    "km": ("length", 1000.0),
    **dict.fromkeys(("mi", "mile", "miles"), ("length", 1609.344)),
    "ft": ("length", 0.3048),
    "g": ("mass", 1.0),
    "kg": ("mass", 1000.0),
    "lb": ("mass", 453.592),
    "t": ("mass", 1e6),
    "ml": ("volume", 1.0),
    "cm3": ("volume", 1.0),
    **dict.fromkeys(("l", "litres", "liters"), ("volume", 1000.0)),
    "m3": ("volume", 1e6),
    "kmh": ("speed", 1.0),
    "kph": ("speed", 1.0),
    "mph": ("speed", 1.609344),
    "mps": ("speed", 3.6),
    "j": ("energy", 1.0),
    "kj": ("energy", 1e3),
    "mj": ("energy", 1e6),
    "wh": ("energy", 3600.0),
    "kwh": ("energy", 3.6e6),
    **dict.fromkeys(("minor", "cent", "cents", "fen"), ("money", 1.0)),
    **dict.fromkeys(("major", "eur", "usd", "cny", "rmb", "yuan", "gbp", "chf"), ("money", 100.0)),
}

_NAMES = {
    "s": "seconds",
    "m": "metres",
    "g": "grams",
    "kg": "kilograms",
    "ml": "millilitres",
    "kmh": "kilometres per hour",
    "mps": "metres per second",
    "j": "joules",
    "minor": "minor currency units (cents, fen)",
}


def _split(key: str) -> tuple[str, list[str]]:
    """`unload_s_per_parcel` -> ("unload", ["s", "per", "parcel"]); no unit, no second part."""
    words = key.lower().split("_")
    for index in range(1, len(words)):
        if words[index] in _UNITS:
            return "_".join(words[:index]), words[index:]
    return key.lower(), []


def wrong_unit(key: str, value: Any, known: list[str]) -> tuple[str, str, str] | None:
    """(field meant, message, repair) when `key` is one of the `known` fields with another unit or none."""
    stem, unit = _split(key)
    best: tuple[float, str, list[str]] | None = None
    for name in known:
        other_stem, other_unit = _split(name)
        if not other_unit or other_unit == unit:
            continue
        same_kind = bool(unit) and _UNITS[unit[0]][0] == _UNITS[other_unit[0]][0]
        score = difflib.SequenceMatcher(None, stem, other_stem).ratio() + 0.1 * same_kind
        if score >= (0.85 if unit else 0.99) and (best is None or score > best[0]):
            best = (score, name, other_unit)
    if best is None:
        return None
    _, name, other_unit = best
    expected = _NAMES.get(other_unit[0], other_unit[0])
    message = f'"{key}" is not a field; "{name}" is, in {expected}'
    if not unit:
        return name, message, f"write {name} = ... in {expected}"
    (quantity, size), (other_quantity, other_size) = _UNITS[unit[0]], _UNITS[other_unit[0]]
    if quantity != other_quantity or unit[1:] != other_unit[1:]:
        return name, message, f"write {name} = ... in {expected}"
    factor = size / other_size
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15:
        return name, message, f"write {name} = {value * factor:.10g}"
    return name, message, f"write {name} = ..., each value times {factor:.6g}"
