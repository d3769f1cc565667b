"""Authentication and authorization of HTTP and websocket requests, shared by router and matchmaker."""
