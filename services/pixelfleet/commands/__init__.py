"""Commands that run no service: each module has `main(arguments)`, which returns the exit code."""
