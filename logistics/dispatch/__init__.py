"""Dispatch: open orders and fleet state in, plans out; the same code for the simulator and the live service."""

from logistics.dispatch.dispatcher import DispatchConfig, Dispatcher, DispatchState

__all__ = ["DispatchConfig", "DispatchState", "Dispatcher"]
