"""What is loaded: scenario files, event sources, schedule, producer, the run process."""
