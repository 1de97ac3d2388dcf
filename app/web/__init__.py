"""The page, the files it is made of, and `/healthz`. GET changes nothing."""
