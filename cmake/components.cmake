# What a component is: an option to switch it off, a library, its headers, its place in the package.
#
#   assent_choice(ASSENT_POSTGRESQL "...")   an option that is AUTO, ON or OFF
#   assent_leave_out(postgresql "...")       why it is not built; an error where it must be
#   assent_component(postgresql ...)         assent_postgresql is assent::postgresql from now on
#   assent_package()                         assentConfig.cmake, which knows all of that
#
# Every source is compiled once, into the static library assent_<name>.  The program and the tests
# link that one, because they use what no user sees.  With BUILD_SHARED_LIBS the same objects also
# make a shared library, which hides what is not marked ASSENT_EXPORT, and which is then what
# assent::<name> means and what is installed.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(ASSENT_COMPONENTS core testing xopen postgresql mysql odbc rabbitmq boost_log tx)
set(ASSENT_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)  # what is generated to be installed
set(ASSENT_CMAKE_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/assent)

# assent_choice(name text [default]): the option `name`, brought to one of AUTO, ON and OFF.
function(assent_choice name text)
  set(default AUTO ${ARGN})
  list(GET default -1 default)
  set(${name} ${default} CACHE STRING "${text}: AUTO (if what it needs is here), ON or OFF")
  set_property(CACHE ${name} PROPERTY STRINGS AUTO ON OFF)
  string(TOUPPER "${${name}}" chosen)
  if(chosen MATCHES "^(ON|TRUE|YES|Y|1)$")
    set(chosen ON)
  elseif(chosen MATCHES "^(OFF|FALSE|NO|N|0)$")
    set(chosen OFF)
  elseif(NOT chosen STREQUAL "AUTO")
    message(FATAL_ERROR "assent: ${name} is AUTO, ON or OFF, not '${${name}}'")
  endif()
  set(${name} ${chosen} PARENT_SCOPE)
endfunction()

# assent_leave_out(name why [packages]): `why` continues "built ..."; `packages` are Debian's.
function(assent_leave_out name why)
  string(TOUPPER ASSENT_${name} option)
  if("${${option}}" STREQUAL "ON")
    set(packages ${ARGN})
    list(JOIN packages " " packages)
    message(FATAL_ERROR
      "assent: ${option}=ON, but on this machine ${name} would be built ${why}. "
      "It needs, as Debian calls them: ${packages}")
  endif()
  message(STATUS "assent: left out: ${name} (built ${why})")
  assent_note(why_not_${name} "Assent was built ${why}")
endfunction()

# What assentConfig.cmake knows of a component.
function(assent_note variable value)
  set_property(GLOBAL APPEND_STRING PROPERTY assent_facts "set(_assent_${variable} \"${value}\")\n")
endfunction()

# assent_component(name DESCRIPTION text
#   [HEADERS file ...]         public headers that are installed with it; all others are core's
#   [PARTS target ...]         static libraries inside the project that it is made of, besides
#   [LINKS item ...]           what its users link with it
#   [PRIVATE_LINKS item ...]   what only it links
#   [NEEDS package ...]        arguments of the find_package() that brings LINKS and PRIVATE_LINKS
#   [MISSING text]             what to say when it does not
#   [PC_MODULES name ...]      LINKS, as pkg-config knows them
#   [PC_LIBRARIES flag ...]    what else is linked, where pkg-config has no name for it
#   [PC_CFLAGS flag ...])
function(assent_component name)
  cmake_parse_arguments(PARSE_ARGV 1 c "" "DESCRIPTION;MISSING"
    "HEADERS;PARTS;LINKS;PRIVATE_LINKS;NEEDS;PC_MODULES;PC_LIBRARIES;PC_CFLAGS")
  set(target assent_${name})
  target_compile_features(${target} INTERFACE cxx_std_17)
  if(BUILD_SHARED_LIBS)
    assent_share(${target})
    set(target assent_${name}_shared)
  endif()
  add_library(assent::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY assent_built ${name})
  if(c_NEEDS)
    assent_note(needs_${name} "${c_NEEDS}")
    assent_note(missing_${name} "${c_MISSING}")
  endif()
  if(ASSENT_INSTALL)
    assent_install_library(${target} ${name})
    if(NOT BUILD_SHARED_LIBS)
      assent_install_parts(${name} ${c_PARTS})
    endif()
    foreach(header IN LISTS c_HEADERS)
      cmake_path(GET header PARENT_PATH folder)  # assent or xopen, wherever that is
      cmake_path(GET folder FILENAME folder)
      install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder}
        COMPONENT development)
    endforeach()
    assent_install_pc()
  endif()
endfunction()

# For assent_component, whose arguments it reads: the shared library of the same objects.
function(assent_share static)
  set(shared ${static}_shared)
  set(objects)
  foreach(part IN ITEMS ${static} LISTS c_PARTS)
    list(APPEND objects $<TARGET_OBJECTS:${part}>)
  endforeach()
  add_library(${shared} SHARED ${objects})
  set_target_properties(${shared} PROPERTIES OUTPUT_NAME ${static} LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(NOT DEFINED CMAKE_INSTALL_RPATH)
    set_target_properties(${shared} PROPERTIES INSTALL_RPATH $ORIGIN)
  endif()
  target_compile_features(${shared} INTERFACE cxx_std_17)
  target_include_directories(${shared} INTERFACE
    $<BUILD_INTERFACE:$<TARGET_PROPERTY:${static},INTERFACE_INCLUDE_DIRECTORIES>>)
  target_link_libraries(${shared} PUBLIC ${c_LINKS} PRIVATE ${c_PRIVATE_LINKS})
  if(NOT static STREQUAL "assent_core")
    target_link_libraries(${shared} PUBLIC assent_core_shared)
  endif()
  if(ASSENT_SANITIZE)
    target_link_options(${shared} PRIVATE -fsanitize=${ASSENT_SANITIZE})
  else()
    target_link_options(${shared} PRIVATE LINKER:-z,defs)  # an adapter uses nothing that is hidden
  endif()
endfunction()

# One library, and a file of its own that describes it, so that nobody needs what he does not use.
function(assent_install_library target name)
  install(TARGETS ${target} EXPORT assent-${name}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime_${name} NAMELINK_COMPONENT development
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT assent-${name} NAMESPACE assent:: FILE assent-${name}-targets.cmake
    DESTINATION ${ASSENT_CMAKE_DESTINATION} COMPONENT development)
endfunction()

# Archives that components are made of: installed once each, whoever they are of.
function(assent_install_parts component)
  set(names)
  foreach(part IN LISTS ARGN)
    string(REGEX REPLACE "^assent_" "" name ${part})
    list(APPEND names ${name})
    get_property(installed GLOBAL PROPERTY assent_installed_parts)
    if(NOT part IN_LIST installed)
      set_property(GLOBAL APPEND PROPERTY assent_installed_parts ${part})
      set_target_properties(${part} PROPERTIES EXPORT_NAME ${name})
      assent_install_library(${part} ${name})
    endif()
  endforeach()
  if(names)
    # Each part is linked before those that it needs, and described behind them.
    list(REVERSE names)
    assent_note(parts_${component} "${names}")
  endif()
endfunction()

# For assent_component, whose arguments it reads: assent-<name>.pc.
function(assent_install_pc)
  set(requires ${c_PC_MODULES})
  if(NOT name STREQUAL "core")
    list(PREPEND requires "assent-core = ${PROJECT_VERSION}")
  endif()
  # An archive does not know what it needs, so its users must name it; a shared library does.
  set(libraries -lassent_${name})
  set(private_libraries)
  if(BUILD_SHARED_LIBS)
    set(private_libraries ${c_PC_LIBRARIES})
  else()
    foreach(part IN LISTS c_PARTS)
      list(APPEND libraries -l${part})
    endforeach()
    list(APPEND libraries ${c_PC_LIBRARIES})
  endif()
  list(JOIN requires ", " requires)
  list(JOIN libraries " " libraries)
  list(JOIN private_libraries " " private_libraries)
  list(JOIN c_PC_CFLAGS " " cflags)
  # Relative to the file itself, so that what was installed may be moved.
  set(prefix ${CMAKE_INSTALL_PREFIX})
  set(libdir ${CMAKE_INSTALL_FULL_LIBDIR})
  set(includedir ${CMAKE_INSTALL_FULL_INCLUDEDIR})
  if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} AND NOT IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
    file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    string(REGEX REPLACE "/$" "" up ${up})
    set(prefix "\${pcfiledir}/${up}")
    set(libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  endif()
  set(pc ${ASSENT_PACKAGE_DIRECTORY}/assent-${name}.pc)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/assent.pc.in ${pc} @ONLY)
  install(FILES ${pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()

# Core's headers, and assentConfig.cmake.  After all components.
function(assent_package)
  if(NOT ASSENT_INSTALL)
    return()
  endif()
  set(not_cores)
  foreach(name IN LISTS ASSENT_COMPONENTS)
    list(APPEND not_cores PATTERN ${name}*.hpp EXCLUDE PATTERN ${name}.h EXCLUDE
      PATTERN ${name}_switch.h EXCLUDE)
  endforeach()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT development ${not_cores})

  get_property(facts GLOBAL PROPERTY assent_facts)
  get_property(built GLOBAL PROPERTY assent_built)
  list(JOIN ASSENT_COMPONENTS ", " known)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/assentConfig.cmake.in
    ${ASSENT_PACKAGE_DIRECTORY}/assentConfig.cmake @ONLY)
  write_basic_package_version_file(${ASSENT_PACKAGE_DIRECTORY}/assentConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${ASSENT_PACKAGE_DIRECTORY}/assentConfig.cmake
    ${ASSENT_PACKAGE_DIRECTORY}/assentConfigVersion.cmake
    DESTINATION ${ASSENT_CMAKE_DESTINATION} COMPONENT development)
endfunction()
