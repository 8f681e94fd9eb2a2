# assent_test(NAME name LABEL label SOURCES ... [LIBRARIES ...] [ARGS ...] [TIMEOUT seconds] [TSAN])
#
# The target tests_<label> builds all tests of a label; TSAN adds the label tsan, for tests on real
# servers that are worth a run under ThreadSanitizer too.
#
# One GoogleTest program = one CTest test, labelled unit, simulation, contract, crash, integration,
# fuzz or headers.  A run in which no test was executed fails.
if(ASSENT_PRECOMPILE)
  # An executable, since libraries are compiled by other flags.
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cpp CONTENT "int main() {}\n")
  add_executable(assent_precompiled ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(assent_precompiled PRIVATE assent_test_options GTest::gmock Threads::Threads)
  target_precompile_headers(assent_precompiled PRIVATE <algorithm> <atomic> <chrono>
    <condition_variable> <functional> <map> <memory> <mutex> <optional> <string> <thread> <vector>
    <gmock/gmock.h> <gtest/gtest.h>)
endif()

function(assent_test)
  cmake_parse_arguments(t "TSAN" "NAME;LABEL;TIMEOUT" "SOURCES;LIBRARIES;ARGS" ${ARGN})
  if(NOT t_TIMEOUT)
    set(t_TIMEOUT 300)  # for tests that hang: a slow disk alone takes a minute of some
  endif()
  add_executable(${t_NAME} ${t_SOURCES})
  target_link_libraries(${t_NAME} PRIVATE ${t_LIBRARIES} assent_internal GTest::gmock GTest::gtest_main)
  if(ASSENT_PRECOMPILE)
    target_precompile_headers(${t_NAME} REUSE_FROM assent_precompiled)
    # g++ forgets that <string> is the system's once it is precompiled, and warns of phantoms there.
    target_compile_options(${t_NAME} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
      $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
  endif()
  add_test(NAME ${t_LABEL}.${t_NAME} COMMAND ${t_NAME} ${t_ARGS})
  set(labels ${t_LABEL})
  if(t_TSAN)
    list(APPEND labels tsan)
  endif()
  set_tests_properties(${t_LABEL}.${t_NAME} PROPERTIES LABELS "${labels}" TIMEOUT ${t_TIMEOUT}
    FAIL_REGULAR_EXPRESSION "Running 0 tests")
  foreach(label ${labels})
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${t_NAME})
  endforeach()
endfunction()
