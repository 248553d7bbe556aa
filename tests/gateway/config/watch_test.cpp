#include "gateway/config/watch.hpp"

#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;
using testing::directory;
namespace fs = std::filesystem;

// Counts the calls, and lets a test wait for the next one.
class calls {
public:
    std::function<void()> counter()
    {
        return [this] {
            const std::lock_guard lock(mutex_);
            ++count_;
            changed_.notify_all();
        };
    }
    int count()
    {
        const std::lock_guard lock(mutex_);
        return count_;
    }
    bool more_than(int before)
    {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] { return count_ > before; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

// Short, so that the tests are; the order of things is the same.
watch_options quick(bool inotify)
{
    // With inotify the stamps are looked at so seldom that a test which passes has been told by an event.
    return {.quiet = 10ms, .patience = 100ms, .poll = inotify ? std::chrono::milliseconds(60'000) : 20ms, .inotify = inotify};
}

void every_change(bool inotify)
{
    const directory dir{{"a.yaml", "{}"}};
    const auto conf = dir.path() / "conf";
    fs::create_directory(conf);
    const auto write = [&](std::string_view name, std::string_view text) { dir.write("conf/" + std::string(name), text); };
    write("a.yaml", "{}");
    calls seen;
    const watcher watch(conf, seen.counter(), quick(inotify));

    struct row {
        std::string name;
        std::function<void()> change;
    };
    const row rows[] = {
        {"a new file", [&] { write("b.yaml", "{}"); }},
        {"another content", [&] { write("b.yaml", "{ }"); }},
        {"a file renamed into place",
         [&] {
             write(".b.yaml.new", "{   }");
             fs::rename(conf / ".b.yaml.new", conf / "b.yaml");
         }},
        {"a file removed", [&] { fs::remove(conf / "b.yaml"); }},
        {"the directory removed", [&] { fs::remove_all(conf); }},
        {"the directory made anew",
         [&] {
             fs::create_directory(conf);
             write("a.yaml", "{}");
         }},
        {"a file in the new directory", [&] { write("b.yaml", "{}"); }},
        {"the directory replaced",
         [&] {
             fs::create_directory(dir.path() / "next");
             dir.write("next/c.yaml", "{}");
             fs::rename(conf, dir.path() / "last");
             fs::rename(dir.path() / "next", conf);
         }},
        {"a file in its replacement", [&] { write("d.yaml", "{}"); }},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const int before = seen.count();
        r.change();
        CHECK(seen.more_than(before));
    }
}

TEST_CASE("every change of the directory is told, by events") { every_change(true); }

TEST_CASE("every change of the directory is told, by stamps alone") { every_change(false); }

TEST_CASE("a directory that is a link may be pointed elsewhere")
{
    for (const bool inotify : {true, false}) {
        CAPTURE(inotify);
        const directory dir;
        fs::create_directory(dir.path() / "one");
        fs::create_directory(dir.path() / "two");
        dir.write("one/a.yaml", "{}");
        dir.write("two/a.yaml", "{  }");
        fs::create_directory_symlink("one", dir.path() / "conf");
        calls seen;
        const watcher watch(dir.path() / "conf", seen.counter(), quick(inotify));
        fs::create_directory_symlink("two", dir.path() / "new");
        fs::rename(dir.path() / "new", dir.path() / "conf");
        REQUIRE(seen.more_than(0));
        const int before = seen.count();
        dir.write("two/b.yaml", "{}");
        CHECK(seen.more_than(before));
    }
}

TEST_CASE("a directory that is not there yet may come")
{
    const directory dir;
    calls seen;
    const watcher watch(dir.path() / "conf", seen.counter(), quick(true));
    fs::create_directory(dir.path() / "conf");
    REQUIRE(seen.more_than(0));
    const int before = seen.count();
    dir.write("conf/a.yaml", "{}");
    CHECK(seen.more_than(before));
}

TEST_CASE("changes that come together are told together, and those that never end are told all the same")
{
    const directory dir{{"a.yaml", "{}"}};
    calls seen;
    const watcher watch(dir.path(), seen.counter(), {.quiet = 10'000ms, .patience = 50ms, .poll = 60'000ms, .inotify = true});
    int written = 0;
    for (; seen.count() == 0 && written < 10'000'000; ++written) dir.write("a.yaml", std::to_string(written));
    CHECK(seen.count() >= 1);
    CHECK(written > 1);
}

TEST_CASE("what is no configuration is not told")
{
    const directory dir{{"a.yaml", "{}"}};
    calls seen;
    const watcher watch(dir.path(), seen.counter(), quick(true));
    dir.write("notes.txt", "x");
    dir.write(".a.yaml.swp", "x");
    dir.write("a.test.yaml", "x");
    CHECK(seen.count() == 0);
    dir.write("a.yaml", "{ }");
    CHECK(seen.more_than(0));
}

TEST_CASE("it ends at once, also while something is on the way")
{
    const directory dir{{"a.yaml", "{}"}};
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) {
        calls seen;
        const watcher watch(dir.path(), seen.counter());
        dir.write("a.yaml", std::to_string(i));
    }
    CHECK(std::chrono::steady_clock::now() - began < 10s);
}

}  // namespace
}  // namespace sallyport::config
