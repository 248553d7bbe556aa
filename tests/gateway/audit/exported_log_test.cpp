// A log goes out into a directory, and every way in which somebody might change that directory is found and named.
#include "gateway/audit/exported_log.hpp"

#include "gateway/audit/leaf.hpp"
#include "gateway/audit/log_check.hpp"
#include "gateway/audit/log_tree.hpp"
#include "tests/storage/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace sallyport::audit {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const jose::private_key& key()
{
    static const auto made = jose::private_key::generate(jose::key_type::ed25519).value();
    return made;
}

tree::verifier verifier_of(const jose::private_key& of) { return {"sallyport/test", std::string(of.public_half().ed25519_bytes())}; }

// 300 entries: a bundle and a part of one; the last has its data apart.
std::vector<storage::audit_entry> entries()
{
    std::vector<storage::audit_entry> all;
    for (int i = 0; i < 300; ++i) {
        storage::audit_entry e;
        e.at = time_point(1'795'716'963s) + std::chrono::microseconds(i);
        e.kind = "admin";
        e.data = R"({"act":"agent.show","n":)" + std::to_string(i) + "}";
        all.push_back(e);
    }
    all.back().data = R"({"act":"agent.add","purpose":")" + std::string(70'000, 'x') + "\"}";
    return all;
}

std::string note_of(const std::vector<storage::audit_entry>& all, const jose::private_key& by)
{
    tree::compact_range range;
    std::string leaf;
    for (const auto& e : all) {
        write_leaf(e, leaf);
        range.append(tree::leaf_hash(leaf));
    }
    return tree::sign_note(tree::checkpoint{"sallyport/test", range.size(), range.root()}.text(), verifier_of(by),
                           [&](std::string_view text) { return by.sign(text); });
}

result<void> write(const fs::path& to, const std::vector<storage::audit_entry>& all, const std::string& note)
{
    auto writer = export_writer::begin(to);
    if (!writer) return writer.error();
    std::string leaf;
    for (const auto& e : all) {
        write_leaf(e, leaf);
        if (auto added = writer->add(leaf, data_is_apart(e) ? std::optional<std::string_view>(e.data) : std::nullopt); !added) return added;
    }
    return writer->finish(note, verifier_of(key()));
}

std::string read(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void put(const fs::path& file, const std::string& bytes)
{
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

std::string told(const verification& v)
{
    std::string all;
    for (const auto& f : v.findings) all += "entry " + std::to_string(f.index) + ": " + f.message + "\n";
    return all;
}

std::string told(const exported_verification& v)
{
    std::string all;
    for (const auto& f : v.files) all += f + "\n";
    return all + told(v.record);
}

struct exported {
    storage::temporary_directory base;
    fs::path at = base.path() / "export";
    exported() { REQUIRE(write(at, entries(), note_of(entries(), key())).has_value()); }
};

std::vector<fs::path> files_of(const fs::path& directory)
{
    std::vector<fs::path> all;
    for (const auto& f : fs::recursive_directory_iterator(directory))
        if (f.is_regular_file()) all.push_back(f.path());
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_CASE("what is exported is in order, and names its files as the specification does")
{
    const exported e;
    std::string names;
    for (const auto& f : files_of(e.at)) {
        const auto name = f.lexically_relative(e.at).generic_string();
        if (!name.starts_with("data/")) names += name + ' ';
        CHECK((fs::status(f).permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
    }
    CHECK(names == "checkpoint keys.json tile/0/000 tile/0/001.p/44 tile/1/000.p/1 tile/entries/000 tile/entries/001.p/44 ");
    const auto own = verify_exported(e.at, {});
    CHECK(told(own) == "");
    CHECK(own.in_order());
    CHECK(own.record.entries == 300);
    CHECK(own.key == verifier_of(key()));
    CHECK(own.checkpoint->size == 300);
    CHECK(verify_exported(e.at, verifier_of(key())).in_order());
}

TEST_CASE("whatever is changed in an export is found, and where")
{
    struct row {
        const char* name;
        const char* file;
        std::function<void(std::string&)> change;
        const char* then;
    };
    const auto flip = [](std::size_t at) { return [at](std::string& bytes) { bytes[at < bytes.size() ? at : bytes.size() - 1] ^= 1; }; };
    const auto cut = [](std::string& bytes) { bytes.pop_back(); };
    const row rows[] = {
        {"an entry", "tile/entries/000", flip(50), "tile/entries/000: entry 0 is not the one that the tree has"},
        {"a later entry", "tile/entries/001.p/44", flip(60), "tile/entries/001.p/44: entry 256 is not the one that the tree has"},
        {"an entry's length", "tile/entries/000", flip(1), "tile/entries/000: is not a bundle of 256 entries"},
        {"a bundle is cut", "tile/entries/001.p/44", cut, "tile/entries/001.p/44: is not a bundle of 44 entries"},
        {"a bundle grows", "tile/entries/000", [](std::string& b) { b += std::string(2, '\0'); },
         "tile/entries/000: is not a bundle of 256 entries"},
        {"a hash", "tile/0/000", flip(100), "tile/0/000: does not hold the hashes of what is below it"},
        {"a hash above", "tile/1/000.p/1", flip(0), "tile/1/000.p/1: does not hold"},
        {"a tile is cut", "tile/0/001.p/44", cut, "tile/0/001.p/44: does not hold"},
        {"a tile grows", "tile/0/001.p/44", [](std::string& b) { b += 'x'; }, "tile/0/001.p/44: does not hold"},
        {"the checkpoint's origin", "checkpoint", flip(0), "checkpoint: is not signed by the key in keys.json"},
        {"its size", "checkpoint", flip(16), "checkpoint: is not signed"},
        {"its root", "checkpoint", flip(25), "checkpoint: is not signed"},
        {"its signature", "checkpoint", [](std::string& b) { b[b.size() - 10] ^= 1; }, "checkpoint: is not signed"},
        {"it is cut", "checkpoint", cut, "checkpoint: is not signed"},
        {"it is empty", "checkpoint", [](std::string& b) { b.clear(); }, "checkpoint: is not signed"},
        {"another signature stands by", "checkpoint", [](std::string& b) { b += b.substr(b.find("\n\n") + 2); },
         "checkpoint: is not signed"},
        {"the key", "keys.json", flip(60), "keys.json: is not what an export writes"},
        {"a space", "keys.json", [](std::string& b) { b.insert(8, " "); }, "keys.json: is not what an export writes"},
        {"the line end", "keys.json", cut, "keys.json: is not what an export writes"},
        {"somebody else's key", "keys.json",
         [](std::string& b) { b = keys_file(verifier_of(jose::private_key::generate(jose::key_type::ed25519).value())); },
         "checkpoint: is not signed by the key in keys.json"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const exported e;
        auto bytes = read(e.at / r.file);
        REQUIRE_FALSE(bytes.empty());
        r.change(bytes);
        put(e.at / r.file, bytes);
        const auto found = verify_exported(e.at, {});
        CAPTURE(told(found));
        CHECK_FALSE(found.in_order());
        CHECK(told(found).find(r.then) != std::string::npos);
    }
}

TEST_CASE("every file, with one byte changed here and there, without it, and with one more")
{
    const exported e;
    for (const auto& file : files_of(e.at)) {
        const auto name = file.lexically_relative(e.at).generic_string();
        CAPTURE(name);
        const auto whole = read(file);
        const std::size_t step = std::max<std::size_t>(1, whole.size() / 40);
        for (std::size_t at = 0; at < whole.size(); at += step) {
            CAPTURE(at);
            auto bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
            put(file, bytes);
            REQUIRE_FALSE(verify_exported(e.at, {}).in_order());
        }
        for (const auto& other : {whole.substr(0, whole.size() / 2), whole + whole.back(), std::string()}) {
            put(file, other);
            REQUIRE_FALSE(verify_exported(e.at, {}).in_order());
        }
        fs::remove(file);
        const auto without = verify_exported(e.at, {});
        CHECK_FALSE(without.in_order());
        CHECK(told(without).find(name.starts_with("data/") ? "its data is missing" : name + ": is missing") != std::string::npos);
        fs::create_symlink("/dev/null", file);
        CHECK_FALSE(verify_exported(e.at, {}).in_order());
        fs::remove(file);
        put(file, whole);
    }
    CHECK(verify_exported(e.at, {}).in_order());
    for (const char* more : {"more", "tile/0/000.p/3", "tile/entries/002", "data/aa", "tile/0/001.p/45"}) {
        CAPTURE(more);
        put(e.at / more, "x");
        CHECK(told(verify_exported(e.at, {})) == std::string(more) + ": does not belong to an export of this log\n");
        fs::remove(e.at / more);
    }
}

TEST_CASE("an export made anew from other entries needs the key that others hold")
{
    const storage::temporary_directory base;
    const auto mine = jose::private_key::generate(jose::key_type::ed25519).value();
    auto changed = entries();
    changed[3].data = R"({"act":"nothing"})";
    CHECK(write(base.path() / "a", changed, note_of(changed, mine)).error().what == problem::conflict);
    CHECK(write(base.path() / "b", changed, note_of(entries(), key())).error().what == problem::conflict);
    CHECK_FALSE(fs::exists(base.path() / "b" / "checkpoint"));
    CHECK(told(verify_exported(base.path() / "b", {})) == "checkpoint: is missing\n");

    const exported e;
    const auto other = verify_exported(e.at, verifier_of(mine));
    CHECK(told(other) == "keys.json: holds another key than the one given\ncheckpoint: is not signed by the key given\n");
    CHECK(told(verify_exported(base.path() / "nowhere", {})) == "keys.json: is missing\ncheckpoint: is missing\n");
}

TEST_CASE("an export needs a directory of its own")
{
    const exported e;
    const auto again = write(e.at, entries(), note_of(entries(), key()));
    CHECK(again.error().what == problem::invalid_input);
    put(e.base.path() / "file", "x");
    CHECK_FALSE(write(e.base.path() / "file", entries(), note_of(entries(), key())).has_value());
    CHECK(verify_exported(e.at, {}).in_order());
    const storage::temporary_directory empty;
    CHECK(write(empty.path(), entries(), note_of(entries(), key())).has_value());
}

TEST_CASE("a place in the log that has no entry")
{
    struct row {
        const char* name;
        std::vector<std::int64_t> there;
        std::int64_t size;
        const char* then;
    };
    const row rows[] = {
        {"none is missing", {0, 1, 2, 3}, 4, ""},
        {"nothing there is", {}, 0, ""},
        {"the first", {1, 2, 3}, 4, "entry 0: an entry is missing here\n"},
        {"one between, and it is said once", {0, 2, 3}, 4, "entry 1: an entry is missing here\n"},
        {"several", {0, 3}, 4, "entry 1: an entry is missing here, and so are those up to 2\n"},
        {"the last", {0, 1, 2}, 4, "entry 3: an entry is missing here\n"},
        {"all", {}, 4, "entry 0: an entry is missing here, and so are those up to 3\n"},
        {"here and there",
         {1, 3},
         5,
         "entry 0: an entry is missing here\nentry 2: an entry is missing here\nentry 4: an entry is missing here\n"},
        {"one twice", {0, 1, 1, 2}, 3, "entry 1: it is there twice\n"},
    };
    std::string leaf;
    write_leaf(entries().front(), leaf);
    for (const row& r : rows) {
        CAPTURE(r.name);
        log_check check;
        for (const auto index : r.there) check.look(index, leaf, {});
        check.ends_at(r.size);
        CHECK(told(check.finish()) == r.then);
    }
    log_check check;
    check.look(0, leaf, {});
    check.look(7, "no entry", {});
    CHECK(told(check.finish()).find("\nentry 7: it is not JSON") != std::string::npos);
}

TEST_CASE("what a hostile export has wrong is counted, and some of each kind is kept")
{
    const storage::temporary_directory base;
    const fs::path at = base.path() / "export";
    constexpr std::size_t bad = 1000, more = 60;
    auto writer = export_writer::begin(at);
    REQUIRE(writer.has_value());
    tree::compact_range range;
    for (std::size_t i = 0; i < bad; ++i) {
        // Every other one is no entry; the data of the rest are not there.
        const std::string leaf =
            i % 2 == 0 ? "x" : R"({"at":"a","data_sha256":")" + std::string(64, static_cast<char>('0' + i % 3)) + R"(","kind":"verdict"})";
        REQUIRE(writer->add(leaf, {}).has_value());
        range.append(tree::leaf_hash(leaf));
    }
    const auto note = tree::sign_note(tree::checkpoint{"sallyport/test", range.size(), range.root()}.text(), verifier_of(key()),
                                      [&](std::string_view text) { return key().sign(text); });
    REQUIRE(writer->finish(note, verifier_of(key())).has_value());
    for (std::size_t i = 0; i < more; ++i) put(at / "more" / std::to_string(i), "");

    const auto found = verify_exported(at, {});
    CHECK_FALSE(found.in_order());
    CHECK(found.record.findings.size() == 2 * most_of_a_kind);
    CHECK(found.record.left_out == bad - 2 * most_of_a_kind);
    CHECK(found.files.size() == 3 + most_of_a_kind);  // three data files are missing
    CHECK(found.files_left_out == more - most_of_a_kind);
}

TEST_CASE("data longer than any entry's is not read")
{
    const exported e;
    for (const auto& file : files_of(e.at)) {
        if (file.parent_path().filename() != "data") continue;
        fs::resize_file(file, (4 << 20) + 1);
        CHECK(told(verify_exported(e.at, {})).find("is longer than it can be") != std::string::npos);
    }
}

TEST_CASE("an empty log")
{
    const storage::temporary_directory base;
    CHECK(write(base.path(), {}, note_of({}, key())).has_value());
    const auto found = verify_exported(base.path(), {});
    CHECK(told(found) == "");
    CHECK(found.checkpoint->size == 0);
}

}  // namespace sallyport::audit
