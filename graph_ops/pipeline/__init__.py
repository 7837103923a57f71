"""The whole preprocessor as one function, for servers and for devices."""
