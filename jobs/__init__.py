"""What processes: the Spark jobs, and the sink that brings their output into MongoDB."""
