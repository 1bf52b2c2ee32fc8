"""The real stacks behind which devices are found, with virtual devices: one folder each.

``make test-labs`` brings each up once, from exact versions, and leaves nothing behind.
"""
