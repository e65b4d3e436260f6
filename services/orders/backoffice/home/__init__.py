"""The first page: figures of the last days and what waits."""
