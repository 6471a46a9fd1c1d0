scalekit_fuzzer(redis_reply SOURCES redis_reply.cpp LIBS scalekit::redis)
scalekit_fuzzer(redis_slot_map SOURCES redis_slot_map.cpp LIBS scalekit::redis)
scalekit_fuzzer(redis_url SOURCES redis_url.cpp LIBS scalekit::redis)
