"""Pure, vectorised physics of a Z' with lepton couplings: no files, no state."""
