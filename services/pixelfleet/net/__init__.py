"""Network code of all services: the HTTP and websocket server, dialling, relaying, heartbeats, TLS."""
