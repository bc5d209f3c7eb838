"""What the console shows, before it is drawn: readers, accumulators and frozen views. Nothing here imports Textual."""
