"""What this server can and the contract does not know, under ``/thumbturn``."""
