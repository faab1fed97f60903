# A port of vcpkg (an overlay: vcpkg install atm0s --overlay-ports=sdk/cpp/packaging/vcpkg). It builds the tree that it lies in.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS -DATM0S_TESTS=OFF -DATM0S_PAGE=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/atm0s)
vcpkg_fixup_pkgconfig()
vcpkg_copy_tools(TOOL_NAMES atm0s-server AUTO_CLEAN)
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
