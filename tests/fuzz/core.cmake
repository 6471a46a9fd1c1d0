scalekit_fuzzer(core_trace_context SOURCES core_trace_context.cpp LIBS scalekit::core)
scalekit_fuzzer(core_settings SOURCES core_settings.cpp LIBS scalekit::core)
