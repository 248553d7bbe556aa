#include "storage/data_directory.hpp"

#include "storage/process.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sallyport::storage {
namespace {

failure unusable(const std::filesystem::path& path, const std::string& why, int error)
{
    return fail(problem::invalid_input, path.string() + ": " + why + ": " + error_text(error));
}

bool write_all(int fd, std::string_view content)
{
    while (!content.empty()) {
        const auto wrote = ::write(fd, content.data(), content.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

bool is_node(std::string_view text)
{
    return text.size() == 32 &&
           std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Like `mkdir -p`: passable for others, whatever the umask, because PostgreSQL may run as another user beneath. What
// was there is left as it is.
result<void> make_parents(const std::filesystem::path& path)
{
    std::filesystem::path made;
    for (const auto& part : path.parent_path()) {
        made /= part;
        if (::mkdir(made.c_str(), 0755) == 0) {
            if (::chmod(made.c_str(), 0755) != 0) return unusable(made, "cannot be made passable", errno);
        } else if (errno != EEXIST && errno != EROFS && errno != EACCES) {
            return unusable(made, "cannot be made", errno);
        }
    }
    return {};
}

}  // namespace

result<std::string> read_small_file(const std::filesystem::path& path, std::size_t limit)
{
    const file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        if (errno == ENOENT) return fail(problem::not_found, path.string() + " does not exist.");
        return unusable(path, "cannot be read", errno);
    }
    std::string content(limit + 1, '\0');
    std::size_t have = 0;
    while (have < content.size()) {
        const auto got = ::read(file.get(), content.data() + have, content.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return unusable(path, "cannot be read", errno);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    if (have > limit) return fail(problem::invalid_input, path.string() + " is too long.");
    content.resize(have);
    return content;
}

result<void> write_small_file(const std::filesystem::path& path, std::string_view content)
{
    const std::filesystem::path draft = path.string() + ".new";
    {
        const file_descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file) return unusable(draft, "cannot be written", errno);
        if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) return unusable(draft, "cannot be written", errno);
    }
    if (::rename(draft.c_str(), path.c_str()) != 0) return unusable(path, "cannot be written", errno);
    const file_descriptor directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return unusable(path.parent_path(), "cannot be synchronised", errno);
    return {};
}

result<data_directory> data_directory::open(const std::filesystem::path& where)
{
    std::error_code error;
    auto path = std::filesystem::absolute(where, error).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();  // `DATA/`
    if (const auto made = make_parents(path); !made) return made.error();
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return unusable(path, "cannot be made", errno);

    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return unusable(path, "cannot be used", errno);
    if (!S_ISDIR(found.st_mode)) return fail(problem::invalid_input, path.string() + " is not a directory.");
    if (::geteuid() != 0 && found.st_uid != ::geteuid()) return fail(problem::invalid_input, path.string() + " belongs to another user.");
    // Where PostgreSQL is another user's, that one has to pass: let_through() made it so.
    const auto mode = found.st_mode & 07777;
    if (mode != 0700 && mode != 0711 && ::chmod(path.c_str(), 0700) != 0) return unusable(path, "cannot be protected", errno);

    file_descriptor lock(::open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return unusable(path / "lock", "cannot be opened", errno);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return unusable(path / "lock", "cannot be locked", errno);
        auto owner = read_small_file(path / "lock", 64);
        while (owner && !owner->empty() && owner->back() == '\n') owner->pop_back();
        return fail(problem::conflict, path.string() + " is in use by another sallyport" +
                                           (owner && !owner->empty() ? " (process " + *owner + ")." : std::string(".")));
    }
    const auto pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.get(), 0) != 0 || !write_all(lock.get(), pid)) return unusable(path / "lock", "cannot be written", errno);

    std::string node;
    if (auto known = read_small_file(path / "node", 64)) {
        node = *known;
        while (!node.empty() && node.back() == '\n') node.pop_back();
    } else if (known.error().what != problem::not_found) {
        return known.error();
    }
    if (!is_node(node)) {
        node = random_name();
        if (const auto kept = write_small_file(path / "node", node + "\n"); !kept) return kept.error();
    }
    const int held = ::fcntl(lock.get(), F_DUPFD_CLOEXEC, 0);  // the same lock: it goes with the last of its descriptors
    if (held < 0) return unusable(path / "lock", "cannot be kept", errno);
    return data_directory(std::move(path), held, std::move(node));
}

data_directory::data_directory(std::filesystem::path path, int lock, std::string node) noexcept
    : path_(std::move(path)),
      lock_(lock),
      node_(std::move(node))
{
}

data_directory::data_directory(data_directory&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      node_(std::move(other.node_))
{
}

data_directory& data_directory::operator=(data_directory&& other) noexcept
{
    std::swap(path_, other.path_);
    std::swap(lock_, other.lock_);
    std::swap(node_, other.node_);
    return *this;
}

data_directory::~data_directory()
{
    if (lock_ >= 0) ::close(lock_);
}

result<void> data_directory::let_through() const
{
    if (::chmod(path_.c_str(), 0711) != 0) return unusable(path_, "cannot be opened for PostgreSQL", errno);
    return {};
}

}  // namespace sallyport::storage
