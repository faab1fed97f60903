# A recipe of Conan 2: `conan create sdk/cpp/packaging/conan`. It builds the tree that it lies in.
import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain
from conan.tools.files import copy


class Atm0s(ConanFile):
    name = "atm0s"
    version = "0.1.0"
    license = "MIT"
    description = "Rooms and streams of Atm0s in C++ and C"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"

    def export_sources(self):
        tree = os.path.join(self.recipe_folder, "..", "..", "..", "..")
        for what in ("CMakeLists.txt", "LICENSE", "cmake/*", "src/*", "sdk/cpp/*"):
            copy(self, what, tree, self.export_sources_folder)

    def requirements(self):
        for what in (
            "boost/1.81.0",
            "cli11/2.3.2",
            "fmt/9.1.0",
            "libvpx/1.13.1",
            "nlohmann_json/3.11.2",
            "openssl/3.0.15",
            "opus/1.3.1",
            "tl-expected/1.1.0",
            "yaml-cpp/0.7.0",
            "zlib/1.2.13",
        ):
            self.requires(what)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.variables["ATM0S_TESTS"] = False
        toolchain.variables["ATM0S_PAGE"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        self.cpp_info.builddirs = ["lib/cmake/atm0s"]
        self.cpp_info.set_property("cmake_find_mode", "none")
