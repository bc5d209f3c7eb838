"""What processes: the Spark jobs and the sink."""
