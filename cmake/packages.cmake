# Debian packages, by CPack: `cpack -G DEB` in a build directory that was configured so:
#
#   -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON -DASSENT_TESTS=OFF
#   -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_RPATH= -DASSENT_PACKAGER="A Name <a@mail>"
#
#   libassent-<component>0.1   one shared library; it depends on its client library, as it is linked
#   libassent-dev              headers, and what CMake, pkg-config and the linker look for
#   assent                     the program, which uses none of these libraries
set(ASSENT_PACKAGER "" CACHE STRING "Name <mail> of who makes Debian packages; empty: none are made")
if(NOT ASSENT_PACKAGER)
  return()
endif()
if(NOT BUILD_SHARED_LIBS OR NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  message(FATAL_ERROR "assent: packages are made of shared libraries, for /usr: add "
    "-DBUILD_SHARED_LIBS=ON -DCMAKE_INSTALL_PREFIX=/usr, or leave ASSENT_PACKAGER empty")
endif()
find_program(gzip gzip REQUIRED)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME assent)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE 0upstream1)  # comes before a first one of Debian's own
set(CPACK_PACKAGE_CONTACT ${ASSENT_PACKAGER})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${ASSENT_PACKAGER})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_tree.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_control.cmake)

set(about "Assent commits a transaction over several databases (PostgreSQL, MySQL,
MariaDB, and others behind ODBC) in all of them or in none, by X/Open XA,
and recovers after a crash by a log of its decisions.")
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
set(documents ${ASSENT_PACKAGE_DIRECTORY}/debian)

# What Debian wants to read in every package.
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
string(STRIP "${license}" license)
string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
string(REGEX REPLACE "\n" "\n " license "${license}")
file(WRITE ${documents}/copyright
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Assent

Files: *
Copyright: 2026 The Assent authors
License: BSL-1.0
 ${license}
")
file(WRITE ${documents}/changelog.Debian
"assent (${version}) unstable; urgency=medium

  * Packages of Assent ${PROJECT_VERSION}; what is new is in its CHANGELOG.md.

 -- ${ASSENT_PACKAGER}  Mon, 30 Nov 2026 12:00:00 +0000
")
execute_process(COMMAND ${gzip} -9nf changelog.Debian WORKING_DIRECTORY ${documents}
  COMMAND_ERROR_IS_FATAL ANY)

# assent_debian(component name section summary text [depends])
function(assent_debian component name section summary text)
  install(FILES ${documents}/copyright ${documents}/changelog.Debian.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
  string(TOUPPER ${component} key)
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_PRIORITY optional PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_DESCRIPTION "${summary}\n${about}\n\n${text}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_DEPENDS "${ARGN}" PARENT_SCOPE)
  set(CPACK_COMPONENTS_ALL ${CPACK_COMPONENTS_ALL} ${component} PARENT_SCOPE)
endfunction()

get_property(built GLOBAL PROPERTY assent_built)
set(libraries)
foreach(name IN LISTS built)
  string(REPLACE _ - dashed ${name})
  set(package libassent-${dashed}${soversion})
  set(core)
  if(NOT name STREQUAL "core")
    set(core "libassent-core${soversion} (= ${version})")
  endif()
  assent_debian(runtime_${name} ${package} libs "distributed transactions - library, ${dashed}"
    "This package has the shared library of the component ${name}." ${core})
  # Before 1.0 nothing is promised between versions, so each library asks for its own.
  string(TOUPPER runtime_${name} key)
  set(control ${documents}/${package})
  file(WRITE ${control}/shlibs "libassent_${name} ${soversion} ${package} (= ${version})\n")
  file(WRITE ${control}/triggers "activate-noawait ldconfig\n")
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA ${control}/shlibs ${control}/triggers)
  list(APPEND libraries "${package} (= ${version})")
endforeach()

list(JOIN libraries ", " libraries)
assent_debian(development libassent-dev libdevel "distributed transactions - development files"
  "This package has the headers, and what CMake, pkg-config and the linker
look for. A program that uses a database needs its client library's
development files as well, which are recommended." ${libraries})
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS
  "libpq-dev, libmariadb-dev, unixodbc-dev, libboost-log-dev, librabbitmq-dev")
if(TARGET assent)
  assent_debian(tool assent database "distributed transactions - the operator's program"
    "This package has the program that shows what is in doubt after an outage
and finishes it, its manual, completions for bash and zsh, and units for
systemd, none of which is started.")
endif()
include(CPack)
