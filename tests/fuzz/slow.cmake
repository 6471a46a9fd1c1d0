scalekit_fuzzer(lexer SOURCES slow_lexer.cpp LIBS scalekit::slow)
scalekit_fuzzer(fingerprint SOURCES slow_fingerprint.cpp LIBS scalekit::slow)
