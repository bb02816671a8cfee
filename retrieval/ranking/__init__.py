"""From candidates to an order: fusion, features, the learned second stage, calibration, grouping."""
