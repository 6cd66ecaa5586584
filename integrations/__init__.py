"""The outside world, one file for each provider; knows nothing of our tables."""
