# Run by CPack on what it has installed to pack: where Debian wants something else than CMake does.
file(GLOB_RECURSE pages ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/man/*.1)
foreach(page IN LISTS pages)
  execute_process(COMMAND gzip -9nf ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
# Debian's zsh does not look into site-functions of /usr.
file(GLOB shells ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/zsh)
foreach(shell IN LISTS shells)
  file(RENAME ${shell}/site-functions ${shell}/vendor-completions)
endforeach()
