# scalekit_room(NAME USES room... PRIVATE_LIBS lib... SOURCES file...)
#   One room of the house: library scalekit_NAME, alias scalekit::NAME, its public headers
#   include/scalekit/NAME.hpp and include/scalekit/NAME/*.hpp.
# scalekit_test(NAME [LONG] [TIMEOUT seconds] LABELS label... LIBS lib... SOURCES file...)
#   A doctest executable registered with ctest.
# scalekit_test_part(NAME LIBS lib... SOURCES file...)
#   Test cases that several programs link, compiled once.
include(GNUInstallDirs)

add_library(scalekit_build_flags INTERFACE)
# So that ccache can keep what was compiled with precompiled headers.
target_compile_options(scalekit_build_flags INTERFACE
  "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
target_compile_options(scalekit_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Woverloaded-virtual
  $<$<BOOL:${SCALEKIT_WARNINGS_AS_ERRORS}>:-Werror>
  # False positives of gcc 12: coroutine frames of Boost 1.81; at -O3 std::string and small_vector.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>)
if(SCALEKIT_UNITY_BUILD)
  # Of sources that are compiled together one shadows the names of another; and gcc takes those of
  # their anonymous namespaces for those of a header.
  target_compile_options(scalekit_build_flags INTERFACE -Wno-shadow
    $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(SCALEKIT_SANITIZE)
  target_compile_options(scalekit_build_flags INTERFACE
    -fsanitize=${SCALEKIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # gcc 12 cannot see through the instrumentation and invents these.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>
    # clang's asks through a pipe whether it may read an object; without a free descriptor it cannot.
    $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=vptr>)
  target_link_options(scalekit_build_flags INTERFACE -fsanitize=${SCALEKIT_SANITIZE})
endif()

set_property(GLOBAL PROPERTY SCALEKIT_ROOMS "")

function(scalekit_room name)
  cmake_parse_arguments(arg "" "" "USES;PRIVATE_LIBS;PUBLIC_LIBS;SOURCES" ${ARGN})
  set(target scalekit_${name})
  file(GLOB headers CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/include/scalekit/${name}.hpp"
    "${PROJECT_SOURCE_DIR}/include/scalekit/${name}/*.hpp"
    "${PROJECT_SOURCE_DIR}/include/scalekit/${name}/detail/*.hpp")
  if(name STREQUAL core)
    # The version belongs to no room, and to everybody.
    list(APPEND headers "${PROJECT_SOURCE_DIR}/include/scalekit/version.hpp")
  endif()
  add_library(${target} ${arg_SOURCES})
  add_library(scalekit::${name} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS
    BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_compile_definitions(${target} PRIVATE BOOST_ASIO_NO_DEPRECATED)
  # Most of a build's time goes into headers, which several sources share here; elsewhere each is
  # compiled by itself, so that it names all that it needs.
  if(SCALEKIT_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      # gcc gains nothing: its precompiled headers are 200 MB.
      target_precompile_headers(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src/precompiled.hpp")
    endif()
  endif()
  if(SCALEKIT_BUILD_FUZZERS)
    # A fuzzer sees what its inputs reach in what it tests.
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:scalekit_build_flags> ${arg_PRIVATE_LIBS})
  target_link_libraries(${target} PUBLIC ${arg_PUBLIC_LIBS})
  foreach(room ${arg_USES})
    target_link_libraries(${target} PUBLIC scalekit_${room})
  endforeach()
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ON
    DEFINE_SYMBOL ""
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON
    INSTALL_RPATH "$ORIGIN"
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  set_property(GLOBAL APPEND PROPERTY SCALEKIT_ROOMS ${name})
endfunction()

function(scalekit_test_flags name)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests")
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
  if(TARGET scalekit_test_headers)
    target_precompile_headers(${name} REUSE_FROM scalekit_test_headers)
  endif()
endfunction()

# Writes one source that compiles those of `sources` together, each in a namespace of its own: what
# they instantiate alike, which is most of it, is then made once.
function(scalekit_tests_together output sources)
  set(headers "")
  set(bodies "")
  set(number 0)
  foreach(source ${sources})
    cmake_path(GET source PARENT_PATH directory)
    file(STRINGS "${source}" lines REGEX "^#include ")
    foreach(line ${lines})
      string(REGEX REPLACE "^#include \"(.*)\".*" "${directory}/\\1" beside "${line}")
      if(EXISTS "${beside}")
        set(line "#include \"${beside}\"")
      endif()
      list(APPEND headers "${line}")
    endforeach()
    math(EXPR number "${number} + 1")
    string(APPEND bodies "namespace file_${number} {\n#include \"${source}\"\n}\n")
  endforeach()
  list(REMOVE_DUPLICATES headers)
  list(JOIN headers "\n" headers)
  file(CONFIGURE OUTPUT "${output}" CONTENT "${headers}\n${bodies}" @ONLY)
  # Its first lines are those of the sources.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
endfunction()

# Sets `out` to what is compiled in place of the sources of a test: see SCALEKIT_UNITY_BUILD.
function(scalekit_test_sources out name)
  set(result ${ARGN})
  if(SCALEKIT_UNITY_BUILD)
    set(result "")
    set(together "")
    foreach(source ${ARGN})
      cmake_path(ABSOLUTE_PATH source)
      # What is of a namespace with a name, or conditional, cannot be put into another.
      file(STRINGS "${source}" apart LIMIT_COUNT 1 REGEX "^(namespace [a-z_:]+ {|template <>|extern|#if|#define)")
      if(apart OR NOT source MATCHES "_test\\.cpp$")
        list(APPEND result "${source}")
      else()
        list(APPEND together "${source}")
      endif()
    endforeach()
    set(number 0)
    while(together)
      list(SUBLIST together 0 8 batch)
      list(REMOVE_ITEM together ${batch})
      list(LENGTH batch length)
      if(length EQUAL 1)
        list(APPEND result "${batch}")
        continue()
      endif()
      math(EXPR number "${number} + 1")
      set(unit "${CMAKE_CURRENT_BINARY_DIR}/${name}_${number}.cpp")
      scalekit_tests_together("${unit}" "${batch}")
      list(APPEND result "${unit}")
    endwhile()
  endif()
  set(${out} ${result} PARENT_SCOPE)
endfunction()

function(scalekit_test_part name)
  cmake_parse_arguments(arg "" "" "LIBS;SOURCES" ${ARGN})
  scalekit_test_sources(sources ${name} ${arg_SOURCES})
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(${name} PRIVATE doctest::doctest scalekit_build_flags PUBLIC ${arg_LIBS})
  scalekit_test_flags(${name})
endfunction()

function(scalekit_test name)
  cmake_parse_arguments(arg "LONG" "TIMEOUT" "LABELS;LIBS;SOURCES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  # Sanitizers slow some programs down tenfold, and the machine may be slow besides.
  if(SCALEKIT_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 3")
  endif()
  # Under ThreadSanitizer the concurrent tests run: the others need not be built.
  if(SCALEKIT_SANITIZE MATCHES thread AND NOT concurrent IN_LIST arg_LABELS)
    set(left_out EXCLUDE_FROM_ALL)
  else()
    set(left_out "")
  endif()
  scalekit_test_sources(sources ${name} ${arg_SOURCES})
  add_executable(${name} ${left_out} ${sources})
  target_link_libraries(${name} PRIVATE scalekit_test_main scalekit_build_flags ${arg_LIBS})
  scalekit_test_flags(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
  if(arg_LONG)
    # It starts first, so that the others do not wait for it at the end.
    set_tests_properties(${name} PROPERTIES COST 100)
  endif()
endfunction()
