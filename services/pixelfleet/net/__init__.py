"""Sockets: one port for HTTP and websockets, dialling, relaying, heartbeats, TLS."""
