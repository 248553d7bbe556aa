// Keeps an injected credential from coming back: an upstream that echoes it (a debugging endpoint, an error page that
// prints the request) would hand it to the agent. Each occurrence becomes `[credential]` (semantics.md, "Never sent on").
//
// What is found: the header's whole value, its part behind the scheme (`Bearer `, `Basic `), the raw secret, its base64 (also
// in the alphabet of URLs), and of `user:password` the password; each as it is and as JSON, HTML, URLs and forms write it,
// character by character, so that it does not matter which characters an encoder escapes. What cannot be found: what the
// upstream has compressed, hashed, cut or coded otherwise; therefore agents cannot ask such routes for a coding or for a
// range of the answer (canonical/headers.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::forward {

constexpr std::string_view redacted = "[credential]";

/// A shorter password is not looked for alone: it would be found in anybody's text. Neither is a shorter secret's base64.
constexpr std::size_t least_alone = 6;

/// The forms under which one credential may come back. Made once for each credential and shared: immutable, any
/// thread. It owns secrets, so it is wiped when it goes, and has no way out but the search.
class credential_forms {
public:
    credential_forms() = default;
    /// `header_value` is what goes upstream (`Basic dXNlcjpwdw==`), `raw` what the operator put (`user:pw`).
    credential_forms(std::string_view header_value, std::string_view raw);
    credential_forms(credential_forms&&) noexcept = default;
    credential_forms& operator=(credential_forms&&) noexcept;
    credential_forms(const credential_forms&) = delete;
    credential_forms& operator=(const credential_forms&) = delete;
    ~credential_forms();

    bool empty() const noexcept { return forms_.empty(); }
    /// Quick: whether `text` contains any form.
    bool found_in(std::string_view text) const noexcept;
    /// `text` with every occurrence replaced; occurrences that overlap are replaced as one.
    std::string redact(std::string_view text) const;

private:
    friend class redactor;
    void wipe() noexcept;
    std::vector<std::string> forms_;  // distinct, none empty
    std::array<bool, 256> begins_{};  // with which an occurrence may begin
};

/// The same over a stream in pieces of any size: the output does not depend on how the input is cut. What is held back
/// between two pieces is at most as long as the longest form in its longest spelling, and only while it can still become an
/// occurrence.
class redactor {
public:
    /// `forms` must outlive it.
    explicit redactor(const credential_forms& forms) noexcept : forms_(&forms) {}
    redactor(const redactor&) = delete;
    redactor& operator=(const redactor&) = delete;
    ~redactor();

    /// What can be passed on after `piece`: a view of `piece` itself when nothing had to change, else of memory of this
    /// object; valid until the next call, and only as long as `piece` is.
    std::string_view feed(std::string_view piece);
    /// What was held back, when the stream has ended.
    std::string_view finish();

private:
    std::string_view run(std::string_view text, bool last);
    const credential_forms* forms_;
    std::string held_;         // the tail of what came, not yet passed on
    std::size_t covered_ = 0;  // its first bytes are part of an occurrence for which `[credential]` has gone out already
    std::string joined_, out_;
    struct span {
        std::size_t begin, end;
    };
    std::vector<span> spans_;
};

}  // namespace sallyport::forward
