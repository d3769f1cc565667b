"""The logic of the doctor: observations in, findings out. No I/O."""
