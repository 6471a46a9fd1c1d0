scalekit_fuzzer(http_next_link SOURCES http_next_link.cpp LIBS scalekit::http)
scalekit_fuzzer(http_etag SOURCES http_etag.cpp LIBS scalekit::http)
