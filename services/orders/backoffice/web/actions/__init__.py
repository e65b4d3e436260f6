"""From a form to a command or an own action and back."""
