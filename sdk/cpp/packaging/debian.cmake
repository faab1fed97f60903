# Debian packages of the components of install.cmake: `cd build/release && cpack -G DEB`. What they depend on is read from
# the programs (dpkg-shlibdeps); libatm0s0 tells it to packages that are built with it (its shlibs file). Whoever
# publishes them is their maintainer: ATM0S_PACKAGE_MAINTAINER.
set(ATM0S_PACKAGE_MAINTAINER "The atm0s-cpp authors <authors@atm0s-cpp.invalid>" CACHE STRING
  "Name and address in Debian packages")
set(soname_package libatm0s${PROJECT_VERSION_MAJOR})
set(packages deb_libatm0s ${soname_package} deb_dev libatm0s-dev server atm0s-server)
set(CPACK_COMPONENTS_ALL deb_libatm0s deb_dev server)
if(TARGET atm0s-tool OR TARGET atm0s_tool)
  list(APPEND packages deb_tool atm0s)
  list(APPEND CPACK_COMPONENTS_ALL deb_tool)
endif()
set(gst_package libatm0s-gst${PROJECT_VERSION_MAJOR})
if(TARGET atm0s-gst)
  list(APPEND packages deb_gst ${gst_package} deb_gst_dev libatm0s-gst-dev deb_plugin gstreamer1.0-atm0s)
  list(APPEND CPACK_COMPONENTS_ALL deb_gst deb_gst_dev deb_plugin)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME atm0s)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "${ATM0S_PACKAGE_MAINTAINER}")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/sdk/cpp ${CMAKE_BINARY_DIR}/sdk/cpp/gst)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_DEB_LIBATM0S_PACKAGE_NAME ${soname_package})
set(CPACK_DEBIAN_DEB_LIBATM0S_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_DEB_LIBATM0S_DESCRIPTION "rooms and streams of Atm0s, shared library
A program publishes and views audio and video in rooms of an Atm0s media
server, over WebRTC, with encoders and files of its own.")

set(CPACK_DEBIAN_DEB_DEV_PACKAGE_NAME libatm0s-dev)
set(CPACK_DEBIAN_DEB_DEV_PACKAGE_SECTION libdevel)
# The second half is for libatm0s.a.
set(CPACK_DEBIAN_DEB_DEV_PACKAGE_DEPENDS "${soname_package} (= ${PROJECT_VERSION}), libssl-dev, libfmt-dev, libopus-dev, zlib1g-dev")
set(CPACK_COMPONENT_DEB_DEV_DESCRIPTION "rooms and streams of Atm0s, for development
Headers in C++ and C, the static library, and what CMake and pkg-config find
them by.")

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME atm0s-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION video)
set(CPACK_COMPONENT_SERVER_DESCRIPTION "WebRTC media server of Atm0s
Forwards audio and video between the participants of rooms: browsers, and
programs with libatm0s, WHIP or WHEP.")

set(CPACK_DEBIAN_DEB_TOOL_PACKAGE_NAME atm0s)
set(CPACK_DEBIAN_DEB_TOOL_PACKAGE_SECTION video)
# Of all else that it needs dpkg-shlibdeps knows; a library of this build belongs to no package yet.
set(CPACK_DEBIAN_DEB_TOOL_PACKAGE_DEPENDS "${soname_package} (>= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_DEB_TOOL_DESCRIPTION "joins rooms of Atm0s from the command line
Publishes files, and a test picture and a song, records what others publish, and
tells what of a server is reachable.")
# To build the examples of /usr/share/doc/libatm0s-dev; the tool's own need of libvpx is read from it.
set(CPACK_DEBIAN_DEB_DEV_PACKAGE_SUGGESTS "cmake, libvpx-dev")

# Encoders and sinks are plugins, which nothing is linked with.
set(gst_plugins "gstreamer1.0-plugins-base, gstreamer1.0-plugins-good")
set(gst_more_plugins "gstreamer1.0-plugins-ugly, gstreamer1.0-plugins-bad, gstreamer1.0-libav")
set(CPACK_DEBIAN_DEB_GST_PACKAGE_NAME ${gst_package})
set(CPACK_DEBIAN_DEB_GST_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEB_GST_PACKAGE_DEPENDS "${soname_package} (>= ${PROJECT_VERSION}), ${gst_plugins}")
set(CPACK_DEBIAN_DEB_GST_PACKAGE_RECOMMENDS "${gst_more_plugins}, gstreamer1.0-x, gstreamer1.0-alsa")
set(CPACK_DEBIAN_DEB_GST_PACKAGE_CONTROL_EXTRA ${made}/triggers)
set(CPACK_COMPONENT_DEB_GST_DESCRIPTION "cameras and windows for rooms of Atm0s, shared library
Publishes cameras, microphones, screens and any GStreamer pipeline, and plays
what is viewed to a window and to speakers.")

set(CPACK_DEBIAN_DEB_GST_DEV_PACKAGE_NAME libatm0s-gst-dev)
set(CPACK_DEBIAN_DEB_GST_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEB_GST_DEV_PACKAGE_DEPENDS "${gst_package} (= ${PROJECT_VERSION}), libatm0s-dev (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_DEB_GST_DEV_DESCRIPTION "cameras and windows for rooms of Atm0s, for development
The header atm0s/gst.h, and what CMake and pkg-config find it by.")

set(CPACK_DEBIAN_DEB_PLUGIN_PACKAGE_NAME gstreamer1.0-atm0s)
set(CPACK_DEBIAN_DEB_PLUGIN_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEB_PLUGIN_PACKAGE_DEPENDS "${soname_package} (>= ${PROJECT_VERSION}), ${gst_plugins}")
set(CPACK_DEBIAN_DEB_PLUGIN_PACKAGE_RECOMMENDS "${gst_more_plugins}")
set(CPACK_COMPONENT_DEB_PLUGIN_DESCRIPTION "GStreamer elements for rooms of Atm0s
atm0ssink publishes what a pipeline makes, atm0ssrc gives the streams of a room
to one: for gst-launch-1.0 and every other program with pipelines.")

file(WRITE ${made}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_DEB_LIBATM0S_PACKAGE_CONTROL_EXTRA ${made}/triggers)

# Debian wants these two in each package.
find_program(ATM0S_GZIP gzip)
if(ATM0S_GZIP)
  set(changelog ${made}/changelog)
  file(WRITE ${changelog} "atm0s (${PROJECT_VERSION}) unstable; urgency=medium

  * Version ${PROJECT_VERSION}; the history is in the repository.

 -- ${CPACK_PACKAGE_CONTACT}  Fri, 27 Nov 2026 00:00:00 +0000
")
  execute_process(COMMAND ${ATM0S_GZIP} -9nf ${changelog})
endif()
file(READ ${CMAKE_SOURCE_DIR}/LICENSE license)
string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
string(REGEX REPLACE "\n" "\n " license "${license}")
string(STRIP "${license}" license)
file(WRITE ${made}/copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: the authors of atm0s-cpp
License: MIT
 ${license}
")
while(packages)
  list(POP_FRONT packages component package)
  install(FILES ${made}/copyright DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  if(ATM0S_GZIP)
    install(FILES ${made}/changelog.gz DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  endif()
endwhile()

include(CPack)
