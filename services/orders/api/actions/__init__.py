"""Commands and own actions of callers: requested once per key, sent or carried out, waited for."""
