"""The command line's own verbs: a client of the HTTP API, which knows nothing of the inside."""
