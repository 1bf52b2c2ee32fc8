"""What a device can do, without a word of any vendor: few verbs, and what can be observed."""
