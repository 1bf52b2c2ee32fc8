"""The HTTP API: static paths, the same parameters by query or JSON body, one envelope.

A request is looked up, authenticated, decoded, validated, answered and encoded, in the contract's
order. Shapes are decided once, at start; nothing outside ``wire`` knows the names of the wire.
"""
