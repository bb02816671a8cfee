"""How good, how fast: BEIR data sets, metrics, runs and their comparison, benchmarks."""
