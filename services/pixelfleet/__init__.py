"""What every Pixelfleet service shares: the wire, the fleet store, the runtime and the command line."""
