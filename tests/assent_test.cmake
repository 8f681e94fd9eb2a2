# assent_test(NAME name LABEL label SOURCES ... [LIBRARIES ...] [ARGS ...] [TIMEOUT seconds])
#
# One GoogleTest program = one CTest test, labelled unit, simulation, contract, crash, integration,
# fuzz or headers.  A run in which no test was executed fails.
function(assent_test)
  cmake_parse_arguments(t "" "NAME;LABEL;TIMEOUT" "SOURCES;LIBRARIES;ARGS" ${ARGN})
  if(NOT t_TIMEOUT)
    set(t_TIMEOUT 120)
  endif()
  add_executable(${t_NAME} ${t_SOURCES})
  target_link_libraries(${t_NAME} PRIVATE ${t_LIBRARIES} assent_internal GTest::gmock GTest::gtest_main)
  add_test(NAME ${t_LABEL}.${t_NAME} COMMAND ${t_NAME} ${t_ARGS})
  set_tests_properties(${t_LABEL}.${t_NAME} PROPERTIES LABELS ${t_LABEL} TIMEOUT ${t_TIMEOUT}
    FAIL_REGULAR_EXPRESSION "Running 0 tests")
endfunction()
