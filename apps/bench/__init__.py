"""Measurements that can be run again: `hippocam bench NAME`. Results go to docs/benchmarks."""
