# What `cmake --install build/release --prefix P` brings, and `cpack` makes Debian packages of. Included by the topmost
# CMakeLists.txt after all else: it installs what there is. Components: libatm0s, dev, server, tool; with GStreamer gst,
# gst_dev, plugin; and, for Debian packages alone, the same with deb_ before (but the server), whose libraries lie where
# Debian wants them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(packaging ${CMAKE_SOURCE_DIR}/sdk/cpp/packaging)
set(made ${CMAKE_BINARY_DIR}/sdk/cpp/installed)
# Debian's folder for libraries of this architecture: "lib/x86_64-linux-gnu".
set(debian_libraries lib)
if(CMAKE_LIBRARY_ARCHITECTURE)
  set(debian_libraries lib/${CMAKE_LIBRARY_ARCHITECTURE})
endif()

# --- libatm0s.a: all of ours in one archive (merge.sh). Not of instrumented builds, which nobody installs.

# The static libraries of this tree that `target` stands on, its own as well.
function(own_libraries target out)
  set(found ${${out}})
  get_target_property(libraries ${target} LINK_LIBRARIES)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL INTERFACE_LIBRARY)
    get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
  endif()
  foreach(library ${libraries})
    if(NOT library MATCHES "^atm0s_" OR NOT TARGET ${library} OR library IN_LIST found)
      continue()
    endif()
    list(APPEND found ${library})
    own_libraries(${library} found)
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

if(NOT ATM0S_SANITIZE AND NOT ATM0S_FUZZ)
  set(parts)
  own_libraries(atm0s_sdk_objects parts)
  set(archives)
  foreach(part ${parts})
    get_target_property(type ${part} TYPE)
    if(type STREQUAL STATIC_LIBRARY)
      list(APPEND archives $<TARGET_FILE:${part}>)
    endif()
  endforeach()
  add_custom_command(OUTPUT ${made}/libatm0s.a ${made}/lib/atm0s.pc ${made}/${debian_libraries}/atm0s.pc ${made}/atm0sStatic.cmake
    COMMAND ${CMAKE_COMMAND} -E env NM=${CMAKE_NM} OBJCOPY=${CMAKE_OBJCOPY} AR=${CMAKE_AR} READELF=${CMAKE_READELF}
      VERSION=${PROJECT_VERSION} "FOLDERS=lib ${debian_libraries}" ${packaging}/merge.sh ${made} $<TARGET_FILE:atm0s> $<TARGET_OBJECTS:atm0s_sdk_objects>
      ${archives}
    DEPENDS atm0s atm0s_sdk_objects $<TARGET_OBJECTS:atm0s_sdk_objects> ${archives} ${packaging}/merge.sh
      ${packaging}/atm0s.pc.in ${packaging}/atm0sStatic.cmake.in
    COMMENT "One archive of libatm0s"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(atm0s_static ALL DEPENDS ${made}/libatm0s.a)
endif()

# --- the shared library, the headers, and how they are found

# Within a major version what was there stays (sdk/cpp/abi).
write_basic_package_version_file(${made}/atm0sConfigVersion.cmake COMPATIBILITY SameMajorVersion)

# Libraries into `folder`, of components whose names begin with `prefix`; further words are for each install().
function(install_sdk folder prefix)
  install(TARGETS atm0s EXPORT ${prefix}atm0sTargets LIBRARY DESTINATION ${folder} COMPONENT ${prefix}libatm0s
    NAMELINK_COMPONENT ${prefix}dev ${ARGN})
  install(DIRECTORY sdk/cpp/include/atm0s DESTINATION include COMPONENT ${prefix}dev ${ARGN})
  set(config_folder ${folder}/cmake/atm0s)
  install(EXPORT ${prefix}atm0sTargets FILE atm0sTargets.cmake NAMESPACE atm0s:: DESTINATION ${config_folder}
    COMPONENT ${prefix}dev ${ARGN})
  install(FILES ${packaging}/atm0sConfig.cmake ${made}/atm0sConfigVersion.cmake DESTINATION ${config_folder}
    COMPONENT ${prefix}dev ${ARGN})
  if(TARGET atm0s_static)
    install(FILES ${made}/libatm0s.a DESTINATION ${folder} COMPONENT ${prefix}dev ${ARGN})
    install(FILES ${made}/${folder}/atm0s.pc DESTINATION ${folder}/pkgconfig COMPONENT ${prefix}dev ${ARGN})
    install(FILES ${made}/atm0sStatic.cmake DESTINATION ${config_folder} COMPONENT ${prefix}dev ${ARGN})
  endif()
endfunction()
install_sdk(lib "")
install_sdk(${debian_libraries} deb_ EXCLUDE_FROM_ALL)

# With a CMakeLists.txt that finds what is installed.
install(DIRECTORY sdk/cpp/examples DESTINATION share/doc/libatm0s-dev COMPONENT dev)
install(DIRECTORY sdk/cpp/examples DESTINATION share/doc/libatm0s-dev COMPONENT deb_dev EXCLUDE_FROM_ALL)

# --- GStreamer: atm0s::gst beside libatm0s, and the plugin where GStreamer of this system looks, under the prefix

# As install_sdk().
function(install_gst folder prefix)
  install(TARGETS atm0s-gst EXPORT ${prefix}atm0sGstTargets LIBRARY DESTINATION ${folder} COMPONENT ${prefix}gst
    NAMELINK_COMPONENT ${prefix}gst_dev ${ARGN})
  install(EXPORT ${prefix}atm0sGstTargets FILE atm0sGstTargets.cmake NAMESPACE atm0s::
    DESTINATION ${folder}/cmake/atm0s COMPONENT ${prefix}gst_dev ${ARGN})
  install(FILES sdk/cpp/gst/include/atm0s/gst.h DESTINATION include/atm0s COMPONENT ${prefix}gst_dev ${ARGN})
  file(RELATIVE_PATH prefix_from_pc /${folder}/pkgconfig /)
  set(libraries_folder ${folder})
  configure_file(${packaging}/atm0s-gst.pc.in ${made}/${folder}/atm0s-gst.pc @ONLY)
  install(FILES ${made}/${folder}/atm0s-gst.pc DESTINATION ${folder}/pkgconfig COMPONENT ${prefix}gst_dev ${ARGN})
  install(TARGETS gstatm0s LIBRARY DESTINATION ${gstreamer_plugins} COMPONENT ${prefix}plugin ${ARGN})
endfunction()

if(TARGET atm0s-gst)
  pkg_get_variable(gstreamer_prefix gstreamer-1.0 prefix)
  pkg_get_variable(gstreamer_plugins gstreamer-1.0 pluginsdir)
  file(RELATIVE_PATH gstreamer_plugins ${gstreamer_prefix} ${gstreamer_plugins})
  file(RELATIVE_PATH from_plugin_to_lib /${gstreamer_plugins} /lib)
  set_target_properties(atm0s-gst PROPERTIES INSTALL_RPATH "$ORIGIN")
  set_target_properties(gstatm0s PROPERTIES INSTALL_RPATH "$ORIGIN/${from_plugin_to_lib}")
  install_gst(lib "")
  install_gst(${debian_libraries} deb_ EXCLUDE_FROM_ALL)
  # Debian's linker finds the libraries by itself.
  foreach(built gst:atm0s-gst:${debian_libraries} plugin:gstatm0s:${gstreamer_plugins})
    string(REPLACE ":" ";" built ${built})
    list(POP_FRONT built component target folder)
    install(CODE "file(RPATH_REMOVE FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}/$<TARGET_FILE_NAME:${target}>\")"
      COMPONENT deb_${component} EXCLUDE_FROM_ALL)
  endforeach()
endif()

# --- programs

install(TARGETS atm0s-server RUNTIME DESTINATION bin COMPONENT server)
foreach(tool atm0s-tool atm0s_tool)
  if(TARGET ${tool})
    set_target_properties(${tool} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
    install(TARGETS ${tool} RUNTIME DESTINATION bin COMPONENT tool)
    # Debian's linker finds the library by itself.
    install(TARGETS ${tool} RUNTIME DESTINATION bin COMPONENT deb_tool EXCLUDE_FROM_ALL)
    install(CODE "file(RPATH_REMOVE FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/$<TARGET_FILE_NAME:${tool}>\")"
      COMPONENT deb_tool EXCLUDE_FROM_ALL)
  endif()
endforeach()

include(${packaging}/debian.cmake)
