"""The world of the fake that Seam publishes: its ids, tokens and devices; its commands really run."""
