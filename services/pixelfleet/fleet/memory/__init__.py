"""The fleet store in the memory of one process."""

from pixelfleet.fleet.memory.store import MemoryFleetStore

__all__ = ["MemoryFleetStore"]
