"""Inside the warehouse: storage, picking and packing over order lines as array rows."""
