// SHA-256 (FIPS 180-4), by OpenSSL. Any thread.
#pragma once

#include "workflows/encoding.hpp"

#include <memory>
#include <string_view>

namespace sallyport {

/// Throws std::bad_alloc, or std::runtime_error when OpenSSL has no SHA-256: a broken installation.
digest sha256(std::string_view bytes);

/// For what comes in pieces. One thread at a time.
class sha256_stream {
public:
    sha256_stream();
    sha256_stream(sha256_stream&&) noexcept = default;
    sha256_stream& operator=(sha256_stream&&) noexcept = default;

    void update(std::string_view bytes);
    /// Of everything so far; the next `update` begins anew.
    digest finish();

private:
    struct free_context {
        void operator()(void*) const noexcept;
    };
    std::unique_ptr<void, free_context> context_;
};

}  // namespace sallyport
