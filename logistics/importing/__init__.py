"""Importing order files: columns by a map, cleaning with a report that adds up."""

from logistics.importing.cleaning import CleanOrders, cleaned
from logistics.importing.column_map import ColumnMap, load_map
from logistics.importing.files import import_orders
from logistics.importing.reading import read_lines

__all__ = ["CleanOrders", "ColumnMap", "cleaned", "import_orders", "load_map", "read_lines"]
