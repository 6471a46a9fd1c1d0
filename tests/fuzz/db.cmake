scalekit_fuzzer(db_url SOURCES db_url.cpp LIBS scalekit::db)
