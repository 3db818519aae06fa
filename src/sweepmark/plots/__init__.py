"""Pictures: everything that is drawn, in one style."""
