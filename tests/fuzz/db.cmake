scalekit_fuzzer(db_url SOURCES db_url.cpp LIBS scalekit::db)
scalekit_fuzzer(db_keyset SOURCES db_keyset.cpp LIBS scalekit::db)
scalekit_fuzzer(db_postgres_values SOURCES db_postgres_values.cpp LIBS scalekit::db)
scalekit_fuzzer(db_classify SOURCES db_classify.cpp LIBS scalekit::db scalekit::slow)
