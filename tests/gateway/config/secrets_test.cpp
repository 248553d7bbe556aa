#include "gateway/config/secrets.hpp"

#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <sys/stat.h>

namespace sallyport::config {
namespace {

secret_source file(const std::filesystem::path& path) { return {secret_source::kind::file, {}, path}; }

TEST_CASE("a secret from a file loses one line end")
{
    struct row {
        std::string name;
        std::string content, secret;
    };
    const std::string longest(65'536, 'x');
    const row rows[] = {
        {"none", "hunter2", "hunter2"},      {"one", "hunter2\n", "hunter2"},      {"of two characters", "hunter2\r\n", "hunter2"},
        {"two", "hunter2\n\n", "hunter2\n"}, {"blanks", " hunter2 ", " hunter2 "}, {"as long as may be", longest + "\n", longest},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const testing::directory dir{{"s", r.content}};
        const auto got = read(file(dir.path() / "s"));
        REQUIRE(got.has_value());
        CHECK(got->reveal() == r.secret);
    }
}

TEST_CASE("what is no secret is refused, and not repeated")
{
    const testing::directory dir{{"empty", ""}, {"line", "\n"}, {"long", std::string(65'537, 'x')}, {"nul", std::string("hunter2\0x", 9)}};
    REQUIRE(::mkfifo((dir.path() / "pipe").c_str(), 0600) == 0);
    for (const char* name : {"empty", "line", "long", "nul", "pipe", "nowhere", "."}) {
        CAPTURE(name);
        const auto got = read(file(dir.path() / name));
        REQUIRE(got.has_error());
        CHECK(got.error().what == problem::invalid_input);
        CHECK(got.error().detail.find(name) != std::string::npos);
        CHECK(got.error().detail.find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a secret from the environment")
{
    const secret_source source{secret_source::kind::env, "SALLYPORT_TEST_SECRET", {}};
    ::unsetenv("SALLYPORT_TEST_SECRET");
    CHECK(read(source).error().detail.find("SALLYPORT_TEST_SECRET is not set") != std::string::npos);
    ::setenv("SALLYPORT_TEST_SECRET", "", 1);
    CHECK(read(source).has_error());
    ::setenv("SALLYPORT_TEST_SECRET", "hunter2\n", 1);
    CHECK(read(source).value().reveal() == "hunter2\n");
    ::unsetenv("SALLYPORT_TEST_SECRET");
}

}  // namespace
}  // namespace sallyport::config
