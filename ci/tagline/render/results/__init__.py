"""The forms of a call's results: JSON, JUnit, HTML, a comment in Markdown, and what the hosts' own views read."""
