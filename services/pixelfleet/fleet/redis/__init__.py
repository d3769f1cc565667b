"""The fleet store on Redis: the scripts that hold its rules, and what calls them."""
