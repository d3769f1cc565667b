"""`pixelfleet simulate`: how long players wait and what the GPUs cost, before they are bought."""
