scalekit_fuzzer(http_keyset SOURCES http_keyset.cpp LIBS scalekit::http)
scalekit_fuzzer(http_etag SOURCES http_etag.cpp LIBS scalekit::http)
