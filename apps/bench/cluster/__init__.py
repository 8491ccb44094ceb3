"""How an archive's throughput grows with the workers of a cluster, on a simulated one."""
