// Sealing at rest: AES-256-GCM under a data key of the record's own, which is wrapped by the master key in
// `DATA/master.key`. The associated data says whose record it is: a sealed value put into another record's place
// does not open.
#pragma once

#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport {

/// Immutable once made; copies share the key. Any number of threads at once.
class keyring {
public:
    /// The key in that file; made with mode 0600 if there is none. A file that is not 32 bytes, that others may read or
    /// write, that another user owns, or that is no regular file is refused (`internal_error`).
    static result<keyring> open_or_create(const std::filesystem::path&);

    /// One byte of version, the wrapped data key, the sealed text: 89 bytes more than `plain`.
    std::string seal(std::string_view plain, std::string_view associated) const;
    /// `internal_error` for whatever was not sealed under this key with this associated data; it says no more.
    result<std::string> open(std::string_view sealed, std::string_view associated) const;

    /// A key for another purpose, derived by HKDF-SHA-256: 32 bytes, the same for the same purpose.
    secret derive(std::string_view purpose) const;

    static constexpr std::size_t overhead = 1 + 12 + 32 + 16 + 12 + 16;

private:
    struct keys;
    explicit keyring(std::shared_ptr<const keys> k) noexcept : keys_(std::move(k)) {}
    std::shared_ptr<const keys> keys_;
};

}  // namespace sallyport
