scalekit_fuzzer(cache_entry LIBS scalekit::cache SOURCES cache_entry.cpp)
