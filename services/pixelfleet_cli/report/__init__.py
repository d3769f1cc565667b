"""What the HTML reports of the commands share: the page and its charts."""
