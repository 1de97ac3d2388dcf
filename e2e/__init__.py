"""End-to-end tests: real Chromium, real Pyodide, a real server process, nothing mocked."""
