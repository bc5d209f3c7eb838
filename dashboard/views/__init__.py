"""The pages. Each draws what the board answers; none computes a figure."""
