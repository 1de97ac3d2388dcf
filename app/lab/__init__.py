"""The bench: a real server process, a real throttled Chromium, and the record of what happened.

Used by `e2e/` and by the commands that reproduce a user's timeout. Everything here is synchronous
(Playwright's synchronous API), so the server under test is always a process of its own: gevent's
monkey-patching and Playwright's event loop cannot share one.
"""
