#include "arrows.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "picture.h"
#include "source_text.h"

namespace atm::arrows {
namespace {

constexpr char kTable[] =
    "# a comment\n"
    "base:\n"
    "wire/rtp: base\n"
    "core/ice: base wire\n"
    "contract: base\n"
    "contract/json: base contract\n"
    "io/udp: base\n"
    "\n"
    "<openssl/: core/ice io\n"
    "<zlib.h>: contract/json\n"
    "<thread>: io\n";

constexpr char kHeader[] = "// what it is\n#pragma once\n";

// A tree that keeps every rule, with one more file in it.
SourceTree tree_with(const std::string& path, const std::string& text) {
  return {kTable,
          {{"base/bytes.h", kHeader},
           {"wire/rtp/packet.h", kHeader},
           {"contract/event.h", kHeader},
           {"contract/json/parse.h", kHeader},
           {"core/ice/agent.h", kHeader},
           {path, text}}};
}

std::string check_one(const std::string& path, const std::string& text) {
  return describe(check(tree_with(path, text)));
}

std::string check_table(const std::string& table) {
  return describe(check({table, {}}));
}

TEST(Arrows, TheTreeKeepsThem) {
  const SourceTree tree = read_tree(ATM0S_SOURCE_DIR "/src");
  ASSERT_GT(tree.files.size(), 20u);
  const auto violations = check(tree);
  EXPECT_TRUE(violations.empty()) << describe(violations);
}

TEST(Arrows, AllowedIncludesPass) {
  EXPECT_EQ(check_one("core/ice/agent.cpp",
                      "#include \"core/ice/agent.h\"\n#include <vector>\n#include <openssl/evp.h>\n"
                      "#include \"base/bytes.h\"\n  #  include \"wire/rtp/packet.h\"\n"),
            "");
}

TEST(Arrows, AnIncludeAgainstThemIsReportedWithItsLine) {
  EXPECT_EQ(check_one("wire/rtp/packet.cpp", "#include \"base/bytes.h\"\n\n#include \"core/ice/agent.h\"\n"),
            "src/wire/rtp/packet.cpp:3: wire/rtp may not include core/ice (\"core/ice/agent.h\")\n");
}

TEST(Arrows, TestsAreHeldToThemToo) {
  EXPECT_NE(check_one("base/bytes_test.cpp", "#include \"wire/rtp/packet.h\"\n"), "");
}

TEST(Arrows, AFolderBelongsToItsLongestListedName) {
  EXPECT_EQ(check_one("contract/json/parse.cpp", "#include \"contract/event.h\"\n"), "");
  EXPECT_EQ(check_one("contract/event.cpp", "#include \"contract/json/parse.h\"\n"),
            "src/contract/event.cpp:1: contract may not include contract/json (\"contract/json/parse.h\")\n");
  EXPECT_EQ(check_one("base/deep/inside.cpp", "#include \"base/bytes.h\"\n"), "");
}

TEST(Arrows, AnUnlistedFolderIsReported) {
  EXPECT_EQ(check_one("misc/thing.cpp", ""), "src/misc/thing.cpp:1: no line of ARROWS covers this folder\n");
}

TEST(Arrows, AnIncludeNamesAFileByItsFullPath) {
  EXPECT_EQ(check_one("core/ice/pair.cpp", "#include \"agent.h\"\n"),
            "src/core/ice/pair.cpp:1: there is no src/agent.h (includes name the full path from src)\n");
}

TEST(Arrows, CommentedIncludesDoNotCount) {
  EXPECT_EQ(check_one("base/a.cpp", "// #include \"core/ice/agent.h\"\n/*\n#include \"core/ice/agent.h\"\n*/\n"), "");
}

TEST(Arrows, LibrariesBelongToTheirModules) {
  EXPECT_EQ(check_one("base/a.cpp", "#include <openssl/evp.h>\n"),
            "src/base/a.cpp:1: base may not include <openssl/evp.h>\n");
  EXPECT_EQ(check_one("base/a.cpp", "#include <thread>\n"), "src/base/a.cpp:1: base may not include <thread>\n");
  EXPECT_EQ(check_one("base/a.cpp", "#include <curl/curl.h>\n"),
            "src/base/a.cpp:1: <curl/curl.h> is not listed in ARROWS\n");
  EXPECT_EQ(check_one("io/udp/a.cpp", "#include <openssl/ssl.h>\n#include <thread>\n"), "");
  EXPECT_EQ(check_one("contract/json/a.cpp", "#include <zlib.h>\n"), "");
}

TEST(Arrows, TestsAndFuzzTargetsMayUseAnyLibrary) {
  EXPECT_EQ(check_one("base/a_test.cpp", "#include <gtest/gtest.h>\n#include <thread>\n"), "");
  EXPECT_EQ(check_one("base/a_fuzz.cpp", "#include <openssl/evp.h>\n"), "");
}

TEST(Arrows, LogicReadsNoClockAndTakesNoLock) {
  for (const char* code :
       {"auto t = std::chrono::steady_clock::now();", "auto t = Clock::now();", "gettimeofday(&t, 0);",
        "clock_gettime(CLOCK_MONOTONIC, &t);", "time(nullptr);", "std::time(&t);",
        "std::chrono::system_clock::time_point t;", "std::thread t;", "std::mutex m;", "int x = rand();",
        "std::random_device d;", "getenv(\"HOME\");", "fopen(path, mode);", "std::cout << 1;", "RAND_bytes(p, 4);",
        "std::this_thread::sleep_for(x);"}) {
    const std::string found = check_one("core/ice/a.cpp", std::string("\n") + code + "\n");
    EXPECT_TRUE(found.starts_with("src/core/ice/a.cpp:2: ")) << code << " gave " << found;
  }
}

TEST(Arrows, WhatOnlyLooksLikeAClockPasses) {
  for (const char* code :
       {"// std::thread and time(nullptr)", "const char* s = \"std::mutex rand()\";", "send_time(0);",
        "Instant time() const;", "packet.time(0);", "int operand(int);", "int next_steady_clock_id;",
        "auto s = R\"(std::cout)\";", "int n = 1'000; // rand()\nchar c = '\"'; int my_rand(int);"}) {
    EXPECT_EQ(check_one("core/ice/a.cpp", code), "") << code;
  }
}

TEST(Arrows, InputAndOutputMayReadTheClock) {
  EXPECT_EQ(check_one("io/udp/a.cpp", "std::chrono::steady_clock::now();"), "");
}

TEST(Arrows, TestsOfLogicDoNotSleep) {
  EXPECT_EQ(check_one("core/ice/a_test.cpp", "std::this_thread::sleep_for(x);"),
            "src/core/ice/a_test.cpp:1: sleep_for sleeps; logic is given that\n");
}

TEST(Arrows, AHeaderSaysWhatItIsAndHasPragmaOnce) {
  EXPECT_NE(check_one("base/a.h", "#pragma once\n").find("begins with a // comment"), std::string::npos);
  EXPECT_NE(check_one("base/a.h", "// #pragma once\nint x;\n").find("has #pragma once"), std::string::npos);
}

TEST(ArrowsTable, ACircleIsReported) {
  EXPECT_EQ(check_table("a: b\nb: c\nc: a\n"), "src/ARROWS:1: the arrows go in a circle: a -> b -> c -> a\n");
  EXPECT_NE(check_table("a: b\nb/x: a\nb/y:\n").find("circle"), std::string::npos) << "through a folder's name";
}

TEST(ArrowsTable, ANameThatIsNoModuleIsReported) {
  EXPECT_EQ(check_table("a: bee\n"), "src/ARROWS:1: a names bee, which is no module\n");
  EXPECT_EQ(check_table("a:\n<x.h>: bee\n"), "src/ARROWS:2: <x.h> names bee, which is no module\n");
}

TEST(ArrowsTable, ALineTwiceOrWithoutAColonIsReported) {
  EXPECT_EQ(check_table("a:\na:\n"), "src/ARROWS:2: a is listed twice\n");
  EXPECT_EQ(check_table("a b\n"), "src/ARROWS:1: expected \"module: modules\"\n");
}

TEST(ArrowsTree, IsReadFromAFolder) {
  const auto root = std::filesystem::temp_directory_path() / ("arrows_test_" + std::to_string(getpid()));
  std::filesystem::create_directories(root / "base" / "deep");
  std::ofstream(root / "ARROWS") << "base:\n";
  std::ofstream(root / "base" / "a.h") << kHeader;
  std::ofstream(root / "base" / "deep" / "b.cpp") << "#include \"base/a.h\"\n#include \"wire/c.h\"\n";
  std::ofstream(root / "base" / "notes.txt") << "#include \"nothing\"\n";
  const SourceTree tree = read_tree(root);
  std::filesystem::remove_all(root);
  EXPECT_EQ(tree.files.size(), 2u);
  EXPECT_EQ(describe(check(tree)),
            "src/base/deep/b.cpp:2: there is no src/wire/c.h (includes name the full path from src)\n");
}

constexpr char kDocument[] = ATM0S_SOURCE_DIR "/ARCHITECTURE.md";

TEST(ArrowsPicture, ArchitectureShowsWhatArrowsSays) {
  const SourceTree tree = read_tree(ATM0S_SOURCE_DIR "/src");
  ASSERT_TRUE(check({tree.table, {}}).empty()) << "ARROWS itself is wrong: see Arrows.TheTreeKeepsThem";
  std::ifstream in(kDocument, std::ios::binary);
  const std::string document{std::istreambuf_iterator<char>(in), {}};
  const auto shown = find_picture(document);
  ASSERT_TRUE(shown) << kDocument << " has no markers for the picture";
  const std::string drawn = draw(tree.table);
  if (std::getenv("UPDATE_ARROWS") != nullptr) {
    std::ofstream(kDocument, std::ios::binary) << with_picture(document, drawn);
    return;
  }
  EXPECT_EQ(*shown, drawn) << "src/ARROWS has changed: write the picture anew with ./dev arrows";
}

TEST(ArrowsPicture, AnArrowThatFollowsFromOthersIsLeftOut) {
  const std::string drawn = draw("base:\nwire/rtp: base\ncore/ice: base wire\n<openssl/: core/ice\n<zlib.h>: wire\n");
  EXPECT_EQ(drawn,
            "```mermaid\nflowchart TD\n  core --> wire\n  wire --> base\n```\n\n"
            "| height | module | stands on, and on what is under that |\n| --- | --- | --- |\n"
            "| 0 | `base` | nothing |\n| 1 | `wire/rtp` | `base` |\n| 2 | `core/ice` | `wire/rtp` |\n\n"
            "| header | only in |\n| --- | --- |\n| `<openssl/…>` | `core/ice` |\n| `<zlib.h>` | `wire` |\n");
}

}  // namespace
}  // namespace atm::arrows
