"""Numerics and figures of the fine-tuning labs: pure functions on numpy arrays, one function per figure."""
