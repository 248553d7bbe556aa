#include "gateway/jose/sealing.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;
namespace fs = std::filesystem;

namespace {

/// A folder of the test's own, gone with it.
class scratch_folder {
public:
    scratch_folder()
    {
        std::string name = (fs::temp_directory_path() / "sallyport-sealing-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() { fs::remove_all(path_); }
    fs::path file() const { return path_ / "master.key"; }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

std::string content(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& bytes, mode_t mode)
{
    std::ofstream(file, std::ios::binary) << bytes;
    REQUIRE(::chmod(file.c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("the key is made once, 0600, and opens what it sealed after a restart")
{
    const scratch_folder folder;
    std::string sealed;
    {
        const auto ring = keyring::open_or_create(folder.file());
        REQUIRE(ring.has_value());
        sealed = ring->seal("a secret", "hld_1");
    }
    struct stat facts {};
    REQUIRE(::stat(folder.file().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 07777) == 0600);
    CHECK(facts.st_size == 32);
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
    const auto ring = keyring::open_or_create(folder.file());
    REQUIRE(ring.has_value());
    CHECK(ring->open(sealed, "hld_1").value() == "a secret");
}

TEST_CASE("sealed text does not show what it is, and every seal is another")
{
    const scratch_folder folder;
    const auto ring = keyring::open_or_create(folder.file());
    REQUIRE(ring.has_value());
    for (const std::string& plain : {std::string(), std::string("x"), std::string("\0\xff", 2), std::string(100'000, 'p')}) {
        const std::string a = ring->seal(plain, "id");
        const std::string b = ring->seal(plain, "id");
        CHECK(a.size() == plain.size() + keyring::overhead);
        CHECK(a != b);
        CHECK(a.find("pppppppp") == std::string::npos);
        CHECK(ring->open(a, "id").value() == plain);
        CHECK(ring->open(b, "id").value() == plain);
    }
}

TEST_CASE("whatever was changed does not open")
{
    const scratch_folder folder, elsewhere;
    const auto ring = keyring::open_or_create(folder.file());
    const auto other = keyring::open_or_create(elsewhere.file());
    REQUIRE(ring.has_value());
    REQUIRE(other.has_value());
    const std::string sealed = ring->seal("a secret", "hld_1");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        CAPTURE(i);
        std::string bent = sealed;
        bent[i] = static_cast<char>(bent[i] ^ 0x20);
        CHECK_FALSE(ring->open(bent, "hld_1").has_value());
        CHECK_FALSE(ring->open(sealed.substr(0, i), "hld_1").has_value());
    }
    CHECK_FALSE(ring->open(sealed + "x", "hld_1").has_value());
    CHECK_FALSE(ring->open(sealed, "hld_2").has_value());
    CHECK_FALSE(ring->open(sealed, "").has_value());
    CHECK_FALSE(ring->open("", "hld_1").has_value());
    const auto foreign = other->open(sealed, "hld_1");
    REQUIRE_FALSE(foreign.has_value());
    CHECK(foreign.error().what == problem::internal_error);
    // the data key of one record does not open another's text
    const std::string second = ring->seal("a secret", "hld_1");
    CHECK_FALSE(ring->open(sealed.substr(0, 61) + second.substr(61), "hld_1").has_value());
}

TEST_CASE("a key file that cannot be trusted is refused and left alone")
{
    struct row {
        const char* name;
        std::string bytes;
        mode_t mode;
    };
    const row rows[] = {{"others may read", std::string(32, 'k'), 0644},
                        {"the group may read", std::string(32, 'k'), 0640},
                        {"read only", std::string(32, 'k'), 0400},
                        {"executable", std::string(32, 'k'), 0700},
                        {"too short", std::string(31, 'k'), 0600},
                        {"too long", std::string(33, 'k'), 0600},
                        {"empty", "", 0600}};
    for (const row& r : rows) {
        CAPTURE(r.name);
        const scratch_folder folder;
        write(folder.file(), r.bytes, r.mode);
        const auto ring = keyring::open_or_create(folder.file());
        REQUIRE_FALSE(ring.has_value());
        CHECK(ring.error().what == problem::internal_error);
        CHECK(ring.error().detail.find("master.key") == std::string::npos);  // the path is the operator's
        CHECK(ring.error().cause.find("master.key") != std::string::npos);
        CHECK(content(folder.file()) == r.bytes);
    }
    const scratch_folder folder;
    write(folder.path() / "real", std::string(32, 'k'), 0600);
    fs::create_symlink(folder.path() / "real", folder.file());
    CHECK_FALSE(keyring::open_or_create(folder.file()).has_value());
    fs::remove(folder.file());
    fs::create_directory(folder.file());
    CHECK_FALSE(keyring::open_or_create(folder.file()).has_value());
    fs::remove(folder.file());
    REQUIRE(::mkfifo(folder.file().c_str(), 0600) == 0);
    CHECK_FALSE(keyring::open_or_create(folder.file()).has_value());
    CHECK_FALSE(keyring::open_or_create(folder.path() / "missing" / "master.key").has_value());
}

TEST_CASE("two who start at once use one key")
{
    const scratch_folder folder;
    std::array<std::string, 8> sealed;
    std::vector<std::thread> threads;
    for (auto& s : sealed) {
        threads.emplace_back([&folder, &s] {
            const auto ring = keyring::open_or_create(folder.file());
            if (ring.has_value()) s = ring->seal("x", "id");
        });
    }
    for (auto& t : threads) t.join();
    const auto ring = keyring::open_or_create(folder.file());
    REQUIRE(ring.has_value());
    for (const auto& s : sealed) CHECK(ring->open(s, "id").value() == "x");
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("one ring serves many threads")
{
    const scratch_folder folder;
    const auto ring = keyring::open_or_create(folder.file());
    REQUIRE(ring.has_value());
    std::array<int, 4> good{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < good.size(); ++t) {
        threads.emplace_back([&ring, &good, t] {
            for (int i = 0; i < 300; ++i) {
                const std::string plain = std::to_string(t) + ":" + std::to_string(i);
                const auto opened = ring->open(ring->seal(plain, plain), plain);
                if (opened.has_value() && *opened == plain) ++good[t];
            }
        });
    }
    for (auto& t : threads) t.join();
    for (const int g : good) CHECK(g == 300);
}

TEST_CASE("keys for other purposes")
{
    const scratch_folder folder, elsewhere;
    const auto ring = keyring::open_or_create(folder.file());
    const auto other = keyring::open_or_create(elsewhere.file());
    REQUIRE(ring.has_value());
    REQUIRE(other.has_value());
    CHECK(ring->derive("cursors").reveal().size() == 32);
    CHECK(ring->derive("cursors").reveal() == keyring::open_or_create(folder.file())->derive("cursors").reveal());
    CHECK(ring->derive("cursors").reveal() != ring->derive("cursor").reveal());
    CHECK(ring->derive("cursors").reveal() != other->derive("cursors").reveal());
    CHECK(ring->derive("cursors").reveal() != content(folder.file()));
}
