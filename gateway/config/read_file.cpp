#include "gateway/config/read_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace sallyport::config {
namespace {

struct descriptor {
    int number;
    ~descriptor()
    {
        if (number >= 0) ::close(number);
    }
};

failure refused(const std::string& why) { return fail(problem::invalid_input, "cannot be read: " + why); }
failure refused() { return refused(std::generic_category().message(errno)); }

}  // namespace

result<std::string> read_file(const std::filesystem::path& path, std::size_t longest)
{
    // Without O_NONBLOCK opening a pipe waits for its writer.
    const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (file.number < 0) return refused();
    struct stat facts {};
    if (::fstat(file.number, &facts) != 0) return refused();
    if (!S_ISREG(facts.st_mode)) return refused("it is no regular file");

    // Room for all at once: growing would leave copies of a secret behind.
    constexpr std::size_t piece = 64 << 10;
    std::string content;
    content.reserve(std::min(static_cast<std::size_t>(facts.st_size), longest) + 2 * piece);
    for (;;) {
        const std::size_t had = content.size();
        content.resize(had + piece);
        const ssize_t got = ::read(file.number, content.data() + had, piece);
        if (got < 0 && errno == EINTR) {
            content.resize(had);
            continue;
        }
        if (got < 0) return refused();
        content.resize(had + static_cast<std::size_t>(got));
        if (content.size() > longest) return refused("it is longer than " + std::to_string(longest) + " bytes");
        if (got == 0) return content;
    }
}

}  // namespace sallyport::config
