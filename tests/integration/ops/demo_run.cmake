# Runs the demo and looks at what it says: it comes to its end, prints its table, and the books are
# in order. Exit code 3, a comparison between runs that failed, is no concern of this test.
# OPTIONS: nothing, or --postgres --redis.
separate_arguments(OPTIONS)
file(REMOVE_RECURSE "${DIR}")
execute_process(
  COMMAND "${DEMO}" --storefront "${STOREFRONT}" --dir "${DIR}" --catalogue generated:2000 --seconds 2 ${OPTIONS}
  OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE code)
file(REMOVE_RECURSE "${DIR}")

set(missing "")
if(OPTIONS)
  set(of_database "== a primary and two replicas"
    "  ok      (d) on + abuser: a replica and the cache's server died"
    "cache and queue on: database servers")
endif()
foreach(words ${of_database}
    "2000 products in" "(a) capacity" "(b) off" "(c) on" "(d) on + abuser"
    "goodput, 2xx/s" "p50 ms" "p95 ms" "p99 ms" "errors" "429s" "cache hits"
    "jobs done: email" "jobs done: inventory" "jobs done: payment"
    "cache_cleanup 1" "backup 1" "top statements by total time"
    "GET /products/:product/related: "
    "  ok      off: no acknowledged order was lost"
    "  ok      off: no job of an order was lost"
    "  ok      off: no payment, mail or movement happened twice"
    "  ok      off: every report and backup that was asked for exists"
    "  ok      off: the stock adds up"
    "  ok      on: no acknowledged order was lost"
    "  ok      on: no job of an order was lost"
    "  ok      on: no payment, mail or movement happened twice"
    "  ok      on: every report and backup that was asked for exists"
    "  ok      on: the stock adds up"
    "  ok      on: the warehouse moved what was sold"
    "  ok      on: every job is done, none is dead"
    "  ok      on: no page shows what is not so any more"
    "(c) beats (b) on goodput" "(c) beats (b) on p99" "the demo took ")
  string(FIND "${out}" "${words}" at)
  if(at EQUAL -1)
    string(APPEND missing "  ${words}\n")
  endif()
endforeach()
if(NOT code MATCHES "^[03]$" OR missing)
  message(FATAL_ERROR "exit code ${code}; not in its output:\n${missing}\n${out}\n${err}")
endif()
