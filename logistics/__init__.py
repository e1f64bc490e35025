"""The parcel network: scenarios, roads, orders, stock, fleet and dispatch. Knows nothing of simulated time."""
