"""``/_fake``: what users of Seam's own fake ask of it, in its world alone. Nobody shows a token here."""
