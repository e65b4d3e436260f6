"""Documents derived from the contracts: JSON Schemas, AsyncAPI, and the check that they change only compatibly."""
