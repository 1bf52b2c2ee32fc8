"""The exact JSON of each resource, and nothing else knows it.

Each module has the shape (a ``TypedDict``, from which OpenAPI is made and the type checker holds
the builder to it) and the plain function that builds it. No shape has defaults.
"""
