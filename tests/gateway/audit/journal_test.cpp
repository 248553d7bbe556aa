#include "gateway/audit/journal.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::audit;

namespace {

journal_uuid next_uuid()
{
    static std::uint8_t count = 0;
    journal_uuid uuid{};
    uuid[0] = static_cast<std::uint8_t>(::getpid());
    uuid[15] = ++count;
    return uuid;
}

struct directory {
    std::filesystem::path path;
    directory()
    {
        std::string name = (std::filesystem::temp_directory_path() / "sallyport-journal-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~directory() { std::filesystem::remove_all(path); }
};

std::vector<std::string> records_of(const journal_segment& segment)
{
    std::vector<std::string> all;
    std::uint64_t at = journal_segment::first();
    for (auto e = segment.read(at); e.next != at; e = segment.read(at)) {
        all.emplace_back(e.record);
        at = e.next;
    }
    return all;
}

}  // namespace

TEST_CASE("records are read back in order, over several segments")
{
    const directory d;
    journal j(d.path, next_uuid, 4096);
    std::vector<std::string> written;
    for (int i = 0; i < 200; ++i) {
        written.push_back("record " + std::to_string(i) + std::string(static_cast<std::size_t>(i), 'x'));
        REQUIRE(j.append(written.back()));
    }
    std::vector<std::string> read;
    const auto segments = j.segments();
    CHECK(segments.size() > 5);
    for (const auto& s : segments) {
        CHECK(s->sealed() == (s != segments.back()));
        for (auto& r : records_of(*s)) read.push_back(std::move(r));
    }
    CHECK(read == written);
}

TEST_CASE("a record that can never fit is refused, and the journal goes on")
{
    const directory d;
    journal j(d.path, next_uuid, 4096);
    CHECK_FALSE(j.append(std::string(5000, 'x')));
    CHECK_FALSE(j.append(""));
    CHECK(j.append("small"));
}

TEST_CASE("without room on the disk or a directory, appending says no")
{
    journal j("/nonexistent-directory", next_uuid, 4096);
    CHECK_FALSE(j.append("record"));
}

TEST_CASE("what a killed process wrote is there afterwards")
{
    const directory d;
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        journal j(d.path, next_uuid, 1 << 20);
        for (int i = 0; i < 1000; ++i)
            if (!j.append("call " + std::to_string(i))) ::_exit(1);
        if (::write(ready[1], "x", 1) != 1) ::_exit(1);
        ::pause();
        ::_exit(0);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);

    const auto left = leftover_segments(d.path);
    REQUIRE(left.size() == 1);
    CHECK(left[0]->sealed());
    const auto records = records_of(*left[0]);
    REQUIRE(records.size() == 1000);
    CHECK(records.back() == "call 999");
}

TEST_CASE("reading stops before a torn or changed record, wherever it was hurt")
{
    const directory d;
    std::filesystem::path file;
    {
        journal j(d.path, next_uuid, 4096);
        for (const char* r : {"first", "second", "third"}) REQUIRE(j.append(r));
        file = j.segments()[0]->path();
    }
    const auto size = 3 * 16 + 8;  // three frames of 8 + 5..6 bytes, padded
    for (int at = 32; at < 32 + size; ++at) {
        std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
        f.seekg(at);
        const char was = static_cast<char>(f.get());
        f.seekp(at);
        f.put(static_cast<char>(was ^ 0x41));
        f.flush();
        const auto left = leftover_segments(d.path);
        REQUIRE(left.size() == 1);
        const std::vector<std::string> whole{"first", "second", "third"};
        const auto read = records_of(*left[0]);
        CHECK(read.size() <= 3);
        for (std::size_t i = 0; i < read.size(); ++i) CHECK(read[i] == whole[i]);
        f.seekp(at);
        f.put(was);
    }
}

TEST_CASE("a reader on another thread sees whole records only")
{
    const directory d;
    journal j(d.path, next_uuid, 8 << 20);
    REQUIRE(j.append("0"));
    const auto segment = j.segments()[0];
    constexpr int count = 100'000;
    std::thread writer([&] {
        for (int i = 1; i < count; ++i)
            if (!j.append(std::to_string(i))) return;
    });
    std::uint64_t at = journal_segment::first();
    int seen = 0;
    while (seen < count) {
        const auto e = segment->read(at);
        if (e.next == at) continue;
        if (e.record != std::to_string(seen)) break;
        ++seen;
        at = e.next;
    }
    writer.join();
    CHECK(seen == count);
}

TEST_CASE("a shipped segment is dropped from list and disk; a file that is no journal is left alone")
{
    const directory d;
    journal j(d.path, next_uuid, 4096);
    REQUIRE(j.append(std::string(3000, 'x')));
    REQUIRE(j.append(std::string(3000, 'y')));
    const auto segments = j.segments();
    REQUIRE(segments.size() == 2);
    j.drop(segments[0]);
    CHECK(j.segments().size() == 1);
    CHECK_FALSE(std::filesystem::exists(segments[0]->path()));

    const auto odd = d.path / "odd.journal";
    std::ofstream(odd) << "no journal at all, but long enough to have a header";
    CHECK(leftover_segments(d.path).size() == 1);
    CHECK(std::filesystem::exists(odd));
}
