"""Signing in with a browser at an OpenID Connect issuer: authorization code with PKCE."""
