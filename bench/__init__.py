"""Benchmarks: each figure beside a baseline taken in the same run, on the same machine."""
