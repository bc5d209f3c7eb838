"""Reports of a run, all made of one document and one digest, so that they carry the same figures."""
