#include "gateway/audit/exported_log.hpp"

#include "gateway/audit/log_check.hpp"
#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "gateway/canonical/sha256.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace sallyport::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view checkpoint_name = "checkpoint";
constexpr std::string_view keys_name = "keys.json";
constexpr std::size_t longest_note = 4096;
constexpr std::size_t longest_bundle = tree::tile_width * (2 + tree::longest_entry);
// The longest data are a call's, for they have its target: it stands in a head, which takes 1 MiB at most
// (`limits.header_bytes`), and escapes make three of a byte. To read a text takes memory many times its length.
constexpr std::size_t longest_data = 4 << 20;

failure file_failure(const fs::path& path, int error)
{
    return fail(problem::internal_error, path.string() + " cannot be written: " + std::generic_category().message(error) + ".");
}

// 0600: the record says what people and agents did.
result<void> write_file(const fs::path& directory, std::string_view name, std::string_view bytes)
{
    const fs::path path = directory / name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return file_failure(path, error.value());
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return file_failure(path, errno);
    int failed = 0;
    while (!bytes.empty() && failed == 0) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            failed = errno;
    }
    if (::close(file) != 0 && failed == 0) failed = errno;
    if (failed != 0) return file_failure(path, failed);
    return {};
}

std::string data_path(std::string_view sha256_hex) { return "data/" + std::string(sha256_hex); }

}  // namespace

std::string keys_file(const tree::verifier& v)
{
    return jcs(boost::json::object{{"keys", boost::json::array{boost::json::object{{"name", v.name}, {"vkey", v.vkey()}}}}}) + '\n';
}

struct export_writer::parts {
    explicit parts(fs::path to) : directory(std::move(to)) {}

    void write(std::string_view name, std::string_view bytes)
    {
        if (done) done = write_file(directory, name, bytes);
    }
    void write_bundle()
    {
        write(tree::bundle_path((range.size() - 1) / tree::tile_width, entries), bundle);
        bundle.clear();
        entries = 0;
    }

    fs::path directory;
    result<void> done{};
    std::string bundle;
    std::size_t entries = 0;  // in it
    std::set<std::string, std::less<>> apart;
    tree::compact_range range;
    tree::tile_maker tiles{[this](const std::string& path, std::string_view hashes) { write(path, hashes); }};
};

export_writer::export_writer(std::unique_ptr<parts> p) noexcept : parts_(std::move(p)) {}
export_writer::~export_writer() = default;
export_writer::export_writer(export_writer&&) noexcept = default;
export_writer& export_writer::operator=(export_writer&&) noexcept = default;

result<export_writer> export_writer::begin(const fs::path& directory)
{
    std::error_code error;
    const bool made = fs::create_directories(directory, error);
    if (error) return file_failure(directory, error.value());
    if (made) fs::permissions(directory, fs::perms::owner_all, error);
    if (!error && !fs::is_empty(directory, error) && !error)
        return fail(problem::invalid_input, directory.string() + " is not empty: an export needs a directory of its own.");
    if (error) return file_failure(directory, error.value());
    return export_writer(std::make_unique<parts>(directory));
}

result<void> export_writer::add(std::string_view leaf, const std::optional<std::string_view>& apart)
{
    parts& p = *parts_;
    if (leaf.size() > tree::longest_entry) return fail(problem::internal_error, "An entry of the log is too long to be exported.");
    if (apart) {
        const auto name = sha256(*apart).hex();
        if (p.apart.insert(name).second) p.write(data_path(name), *apart);
    }
    tree::append_to_bundle(p.bundle, leaf);
    ++p.entries;
    const digest hash = tree::leaf_hash(leaf);
    p.range.append(hash);
    p.tiles.append(hash);
    if (p.entries == tree::tile_width) p.write_bundle();
    return p.done;
}

result<void> export_writer::finish(std::string_view note, const tree::verifier& key)
{
    parts& p = *parts_;
    if (p.entries > 0) p.write_bundle();
    p.tiles.finish();
    p.write(keys_name, keys_file(key));
    if (!p.done) return p.done;
    const auto text = tree::open_note(note, key);
    if (!text) return fail(problem::conflict, "The log's checkpoint is not signed by the log's key.");
    if (*text != tree::checkpoint{key.name, p.range.size(), p.range.root()}.text())
        return fail(problem::conflict, "The entries of the log are not those that its checkpoint was signed for.");
    p.write(checkpoint_name, note);
    return p.done;
}

namespace {

// Counts all, keeps the first.
struct first_few {
    std::vector<std::string> kept;
    std::size_t left_out = 0;

    void add(std::string text)
    {
        if (kept.size() < most_of_a_kind)
            kept.push_back(std::move(text));
        else
            ++left_out;
    }
};

class exported_check {
public:
    explicit exported_check(fs::path directory) : directory_(std::move(directory)) {}

    exported_verification run(const std::optional<tree::verifier>& key)
    {
        if (const auto size = open(key)) {
            if (read_entries(*size)) {
                compare(*size);
                look_for_others();
            }
        }
        found_.record = check_.finish();
        return std::move(found_);
    }

private:
    void say(std::string_view name, std::string_view what)
    {
        auto said = said_.find(what);
        if (said == said_.end()) said = said_.emplace(what, 0).first;
        if (++said->second > most_of_a_kind)
            ++found_.files_left_out;
        else
            found_.files.push_back(std::string(name) + ": " + std::string(what));
    }

    // A file of the export; said, once, and none when it is not there, no file, or larger than it can be.
    std::optional<std::string> read(const std::string& name, std::size_t longest)
    {
        expected_.insert(name);
        if (unreadable_.contains(name)) return std::nullopt;
        auto bytes = read_file(name, longest);
        if (!bytes) unreadable_.insert(name);
        return bytes;
    }

    std::optional<std::string> read_file(const std::string& name, std::size_t longest)
    {
        const fs::path path = directory_ / name;
        std::error_code error;
        if (!fs::is_regular_file(fs::symlink_status(path, error))) {
            say(name, "is missing");
            return std::nullopt;
        }
        if (fs::file_size(path, error) > longest || error) {
            say(name, "is longer than it can be");
            return std::nullopt;
        }
        std::ifstream in(path, std::ios::binary);
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        if (in.bad() || !in.is_open()) {
            say(name, "cannot be read");
            return std::nullopt;
        }
        return bytes;
    }

    // The key that is trusted and the checkpoint that it signed.
    std::optional<std::uint64_t> open(const std::optional<tree::verifier>& given)
    {
        const auto keys = read(std::string(keys_name), longest_note);
        const auto note = read(std::string(checkpoint_name), longest_note);
        auto own = keys ? key_of(*keys) : std::nullopt;
        if (keys && !own) say(keys_name, "is not what an export writes");
        if (given && own && *own != *given) say(keys_name, "holds another key than the one given");
        found_.key = given ? given : own;
        if (!found_.key || !note) return std::nullopt;
        const auto text = tree::open_note(*note, *found_.key);
        if (!text) {
            say(checkpoint_name, given ? "is not signed by the key given" : "is not signed by the key in keys.json");
            return std::nullopt;
        }
        found_.checkpoint = tree::checkpoint::parse(*text);
        if (!found_.checkpoint || found_.checkpoint->origin != found_.key->name) {
            say(checkpoint_name, "is no checkpoint of this log");
            found_.checkpoint.reset();
            return std::nullopt;
        }
        return found_.checkpoint->size;
    }

    static std::optional<tree::verifier> key_of(std::string_view text)
    {
        const auto document = json::document::parse(text);
        const json::value* keys = document ? document->root().find("keys") : nullptr;
        const json::value* vkey = keys && keys->is(json::kind::array) && keys->size() == 1 ? keys->at(0).find("vkey") : nullptr;
        auto key = vkey ? tree::verifier::parse(vkey->string()) : std::nullopt;
        // To the byte: nothing of it goes unchecked.
        if (key && keys_file(*key) != text) return std::nullopt;
        return key;
    }

    // False when a bundle cannot be read: the tree cannot be made then.
    bool read_entries(std::uint64_t size)
    {
        for (std::uint64_t at = 0; at < size; at += tree::tile_width) {
            const auto width = static_cast<std::size_t>(std::min<std::uint64_t>(tree::tile_width, size - at));
            const auto name = tree::bundle_path(at / tree::tile_width, width);
            const auto bundle = read(name, longest_bundle);
            if (!bundle) return false;
            const auto entries = tree::entries_of(*bundle);
            if (!entries || entries->size() != width) {
                say(name, "is not a bundle of " + std::to_string(width) + " entries");
                return false;
            }
            const auto stored = read(tree::tile_path(0, at / tree::tile_width, width), tree::tile_width * sizeof(digest::bytes));
            std::size_t place = 0;
            for (const std::string_view leaf : *entries) {
                const digest hash = check_.look(static_cast<std::int64_t>(check_.size()), leaf, data_of(leaf));
                tiles_.append(hash);
                if (stored && stored->substr(std::min(place, stored->size()), sizeof(digest::bytes)) != hash.view())
                    changed_.add(name + ": entry " + std::to_string(check_.size() - 1) + " is not the one that the tree has");
                place += sizeof(digest::bytes);
            }
        }
        tiles_.finish();
        return true;
    }

    std::optional<std::string> data_of(std::string_view leaf)
    {
        // The few that have it apart say so; to read each one for this would cost as much as all else.
        constexpr std::string_view mark = R"("data_sha256":")";
        if (leaf.find(mark) == std::string_view::npos) return std::nullopt;
        const auto document = json::document::parse(leaf);
        const json::value* hash = document ? document->root().find("data_sha256") : nullptr;
        const auto bytes = hash ? digest::from_hex(hash->string()) : std::nullopt;
        if (!bytes) return std::nullopt;
        return read(data_path(bytes->hex()), longest_data);
    }

    // Each tile that was made from the entries, as soon as it is.
    void compare_tile(const std::string& name, std::string_view hashes)
    {
        const auto stored = read(name, tree::tile_width * sizeof(digest::bytes));
        if (stored && *stored != hashes) wrong_tiles_.add(name);
    }

    void compare(std::uint64_t size)
    {
        if (check_.size() == size && check_.root() == found_.checkpoint->root) {
            found_.files_left_out += wrong_tiles_.left_out;
            for (const auto& name : wrong_tiles_.kept) say(name, "does not hold the hashes of what is below it");
            return;
        }
        found_.files_left_out += changed_.left_out;
        found_.files.insert(found_.files.end(), changed_.kept.begin(), changed_.kept.end());
        if (changed_.kept.empty()) say(checkpoint_name, "is of other entries than these");
    }

    void look_for_others()
    {
        std::error_code error;
        for (fs::recursive_directory_iterator file(directory_, error), end; !error && file != end; file.increment(error)) {
            const auto name = file->path().lexically_relative(directory_).generic_string();
            const bool directory = fs::is_directory(file->symlink_status(error));
            if (!directory && !expected_.contains(name)) say(name, "does not belong to an export of this log");
        }
        if (error) say(directory_.string(), "cannot be looked through: " + error.message());
    }

    fs::path directory_;
    exported_verification found_;
    log_check check_;
    tree::tile_maker tiles_{[this](const std::string& path, std::string_view hashes) { compare_tile(path, hashes); }};
    std::set<std::string, std::less<>> expected_, unreadable_;
    std::map<std::string, std::size_t, std::less<>> said_;  // how often, by what was said
    first_few changed_, wrong_tiles_;
};

}  // namespace

exported_verification verify_exported(const fs::path& directory, const std::optional<tree::verifier>& key)
{
    return exported_check(directory).run(key);
}

}  // namespace sallyport::audit
