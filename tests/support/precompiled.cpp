// A target needs a source; its precompiled headers are what is wanted.
