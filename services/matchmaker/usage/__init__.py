"""How much a fleet was used, by day and application: computed from the records of ended sessions."""
