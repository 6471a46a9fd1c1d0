# The reader itself: the rest of its room is a tool, and not built here.
scalekit_fuzzer(ops_response_reader
  SOURCES ops_response_reader.cpp "${PROJECT_SOURCE_DIR}/src/ops/response_reader.cpp"
  LIBS scalekit::core)
