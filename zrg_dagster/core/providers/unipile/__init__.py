"""Unipile: LinkedIn messages, connections and the state of the accounts behind them."""
