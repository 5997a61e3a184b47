"""The way on alone: what a consumer needs to go on without us, free and ready to send."""
