"""What is measured: histograms, stores, audit, verdict, report. Imports no other folder of this project."""
