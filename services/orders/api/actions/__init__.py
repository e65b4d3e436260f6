"""Commands and local actions of callers: requested once per key, sent or carried out, awaited."""
