scalekit_fuzzer(limit_client_address SOURCES limit_client_address.cpp LIBS scalekit::limit)
