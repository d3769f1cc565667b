"""Load and servers to measure matches and to detect double bookings."""
