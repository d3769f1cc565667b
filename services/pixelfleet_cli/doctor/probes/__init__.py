"""The observations of the doctor: DNS, TCP, TLS, HTTP, websockets. Reads are bounded, and each has a time limit."""
