"""Background work: effects, timers, workers, retention."""
