# The target assent_connector_cpp: MySQL Connector/C++ 1.1, for an example and for tests.  No part of
# what is shipped uses it.
if(NOT TARGET assent_connector_cpp)
  find_path(ASSENT_CONNECTOR_CPP_HEADERS cppconn/driver.h)
  find_library(ASSENT_CONNECTOR_CPP_LIBRARY mysqlcppconn)
  find_path(ASSENT_CONNECTOR_CPP_BOOST boost/scoped_ptr.hpp)  # which its headers include
  if(ASSENT_CONNECTOR_CPP_HEADERS AND ASSENT_CONNECTOR_CPP_LIBRARY AND ASSENT_CONNECTOR_CPP_BOOST)
    add_library(assent_connector_cpp INTERFACE IMPORTED GLOBAL)
    target_include_directories(assent_connector_cpp INTERFACE
      ${ASSENT_CONNECTOR_CPP_HEADERS} ${ASSENT_CONNECTOR_CPP_BOOST})
    target_link_libraries(assent_connector_cpp INTERFACE ${ASSENT_CONNECTOR_CPP_LIBRARY})
  else()
    message(STATUS "assent: no MySQL Connector/C++ 1.1 (Debian: libmysqlcppconn-dev): "
      "its example is left out, and its tests use the C library")
  endif()
endif()
