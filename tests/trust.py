"""The certificates that HTTP clients of tests trust, loaded once; a client that loads them itself takes 30 ms."""

import ssl

TRUSTED = ssl.create_default_context()
