"""What cutting a release needs; nothing here is part of the distribution."""
