"""The fleet store on Redis: its rules as Lua scripts, and their callers."""
