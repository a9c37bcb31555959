// Nothing: the precompiled header of the tests needs a target that it belongs to.
