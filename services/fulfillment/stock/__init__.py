"""Stock: counted, adjusted, reserved."""
