# find_package(atm0s): atm0s::core, the shared library, and atm0s::core_static.
include(CMakeFindDependencyMacro)
include("${CMAKE_CURRENT_LIST_DIR}/atm0sTargets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/atm0sStatic.cmake" OPTIONAL)
