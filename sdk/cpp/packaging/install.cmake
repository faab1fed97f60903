# What `cmake --install build/release --prefix P` brings, and `cpack` makes Debian packages of. Included by the topmost
# CMakeLists.txt after all else: it installs what there is. Components: libatm0s, dev, server, tool; with GStreamer gst,
# gst_dev, plugin.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(packaging ${CMAKE_SOURCE_DIR}/sdk/cpp/packaging)
set(made ${CMAKE_BINARY_DIR}/sdk/cpp/installed)
set(config_folder lib/cmake/atm0s)

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
  add_custom_command(OUTPUT ${made}/libatm0s.a ${made}/atm0s.pc ${made}/atm0sStatic.cmake
    COMMAND ${CMAKE_COMMAND} -E env NM=${CMAKE_NM} OBJCOPY=${CMAKE_OBJCOPY} AR=${CMAKE_AR} READELF=${CMAKE_READELF}
      VERSION=${PROJECT_VERSION} ${packaging}/merge.sh ${made} $<TARGET_FILE:atm0s> $<TARGET_OBJECTS:atm0s_sdk_objects>
      ${archives}
    DEPENDS atm0s atm0s_sdk_objects $<TARGET_OBJECTS:atm0s_sdk_objects> ${archives} ${packaging}/merge.sh
      ${packaging}/atm0s.pc.in ${packaging}/atm0sStatic.cmake.in
    COMMENT "One archive of libatm0s"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(atm0s_static ALL DEPENDS ${made}/libatm0s.a)
  install(FILES ${made}/libatm0s.a DESTINATION lib COMPONENT dev)
  install(FILES ${made}/atm0s.pc DESTINATION lib/pkgconfig COMPONENT dev)
  install(FILES ${made}/atm0sStatic.cmake DESTINATION ${config_folder} COMPONENT dev)
endif()

# --- the shared library, the headers, and how they are found

install(TARGETS atm0s EXPORT atm0sTargets
  LIBRARY DESTINATION lib COMPONENT libatm0s NAMELINK_COMPONENT dev)
install(DIRECTORY sdk/cpp/include/atm0s DESTINATION include COMPONENT dev)
install(EXPORT atm0sTargets NAMESPACE atm0s:: DESTINATION ${config_folder} COMPONENT dev)
# Within a major version what was there stays (sdk/cpp/abi).
write_basic_package_version_file(${made}/atm0sConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${packaging}/atm0sConfig.cmake ${made}/atm0sConfigVersion.cmake DESTINATION ${config_folder} COMPONENT dev)

# --- GStreamer: atm0s::gst beside libatm0s, and the plugin where GStreamer of this system looks, under the prefix

if(TARGET atm0s-gst)
  pkg_get_variable(gstreamer_prefix gstreamer-1.0 prefix)
  pkg_get_variable(gstreamer_plugins gstreamer-1.0 pluginsdir)
  file(RELATIVE_PATH gstreamer_plugins ${gstreamer_prefix} ${gstreamer_plugins})
  file(RELATIVE_PATH from_plugin_to_lib /${gstreamer_plugins} /lib)
  set_target_properties(atm0s-gst PROPERTIES INSTALL_RPATH "$ORIGIN")
  set_target_properties(gstatm0s PROPERTIES INSTALL_RPATH "$ORIGIN/${from_plugin_to_lib}")
  install(TARGETS atm0s-gst EXPORT atm0sGstTargets
    LIBRARY DESTINATION lib COMPONENT gst NAMELINK_COMPONENT gst_dev)
  install(EXPORT atm0sGstTargets NAMESPACE atm0s:: DESTINATION ${config_folder} COMPONENT gst_dev)
  install(FILES sdk/cpp/gst/include/atm0s/gst.h DESTINATION include/atm0s COMPONENT gst_dev)
  configure_file(${packaging}/atm0s-gst.pc.in ${made}/atm0s-gst.pc @ONLY)
  install(FILES ${made}/atm0s-gst.pc DESTINATION lib/pkgconfig COMPONENT gst_dev)
  install(TARGETS gstatm0s LIBRARY DESTINATION ${gstreamer_plugins} COMPONENT plugin)
endif()

# --- programs

install(TARGETS atm0s-server RUNTIME DESTINATION bin COMPONENT server)
foreach(tool atm0s-tool atm0s_tool)
  if(TARGET ${tool})
    set_target_properties(${tool} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
    install(TARGETS ${tool} RUNTIME DESTINATION bin COMPONENT tool)
  endif()
endforeach()

include(${packaging}/debian.cmake)
