"""What runs: services, runtimes, readiness, faults, provisioning."""
