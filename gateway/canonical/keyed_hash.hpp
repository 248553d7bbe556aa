// A hash for tables whose keys others choose: SipHash-1-3 under a random key, so that nobody can prepare keys that all
// fall into one place.
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport {

class keyed_hash {
public:
    keyed_hash(std::uint64_t first, std::uint64_t second) noexcept : first_(first), second_(second) {}
    /// The process's own key, drawn once from the system's generator.
    static const keyed_hash& of_process();

    std::uint64_t operator()(std::string_view bytes) const noexcept;

private:
    std::uint64_t first_;
    std::uint64_t second_;
};

}  // namespace sallyport
