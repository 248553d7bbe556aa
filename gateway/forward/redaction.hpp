// Keeps an injected credential from coming back: an upstream that echoes it (a debugging endpoint, an error page that
// prints the request) would hand it to the agent. Each occurrence becomes `[credential]` (semantics.md, "Never sent on").
//
// What is found: the header's whole value, its part behind the scheme (`Bearer `, `Basic `), the raw secret, and the
// raw secret as JSON, percent-encoding and base64 would write it. What cannot be found: a form that the upstream has
// compressed or transformed otherwise; therefore such routes ask for `identity` only (outgoing.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::forward {

constexpr std::string_view redacted = "[credential]";

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
    std::size_t longest() const noexcept { return longest_; }
    /// Quick: whether `text` contains any form.
    bool found_in(std::string_view text) const noexcept;
    /// `text` with every occurrence replaced; occurrences that overlap are replaced as one.
    std::string redact(std::string_view text) const;

private:
    friend class redactor;
    void wipe() noexcept;
    std::vector<std::string> forms_;  // distinct, none empty
    std::size_t longest_ = 0;
};

/// The same over a stream in pieces of any size: the output does not depend on how the input is cut. What is held back
/// between two pieces is at most `longest() - 1` bytes, and only while they can still become an occurrence.
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
