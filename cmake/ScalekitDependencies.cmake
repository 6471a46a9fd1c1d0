# What scalekit links against; each is a package of the distribution.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(SQLite3 3.35 REQUIRED)
if(SCALEKIT_WITH_POSTGRES)
  find_package(PostgreSQL REQUIRED)
endif()
