#include "gateway/forward/redaction.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sallyport::forward {

namespace {

void wipe_string(std::string& text) noexcept
{
    // The whole capacity: what a longer value left behind counts too.
    text.resize(text.capacity());
    volatile char* bytes = text.data();
    for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = 0;
    text.clear();
}

constexpr char lower_hex[] = "0123456789abcdef";
constexpr char upper_hex[] = "0123456789ABCDEF";

/// As a JSON serialiser writes it inside quotes (RFC 8259 §7); `slash`: those that write `\/` too.
std::string json_form(std::string_view raw, bool slash)
{
    std::string out;
    for (const char c : raw) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (c == '"' || c == '\\' || (slash && c == '/')) {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += lower_hex[byte >> 4];
            out += lower_hex[byte & 15];
        } else {
            out += c;
        }
    }
    return out;
}

/// RFC 3986 §2.1: everything but unreserved characters escaped, as `encodeURIComponent` and its like do.
std::string percent_form(std::string_view raw, const char* digits)
{
    std::string out;
    for (const char c : raw) {
        const auto byte = static_cast<std::uint8_t>(c);
        const bool unreserved =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

std::string base64_form(std::string_view raw)
{
    constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((raw.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    unsigned have = 0;
    for (const char c : raw) {
        bits = (bits << 8) | static_cast<std::uint8_t>(c);
        have += 8;
        while (have >= 6) out += alphabet[(bits >> (have -= 6)) & 63];
    }
    if (have > 0) out += alphabet[(bits << (6 - have)) & 63];
    // Without the padding: it is found with and without it.
    return out;
}

}  // namespace

credential_forms::credential_forms(std::string_view header_value, std::string_view raw)
{
    const auto add = [this](std::string form) {
        if (form.empty() || std::find(forms_.begin(), forms_.end(), form) != forms_.end()) {
            wipe_string(form);
            return;
        }
        longest_ = std::max(longest_, form.size());
        forms_.push_back(std::move(form));
    };
    forms_.reserve(9);
    add(std::string(header_value));
    // `scheme SP token` (RFC 9110 §11.4): the token alone is the credential too. Of `Basic` it is the base64.
    if (const auto space = header_value.find(' '); space != std::string_view::npos) {
        std::string_view token = header_value.substr(space + 1);
        while (token.ends_with('=')) token.remove_suffix(1);
        // What has several words is no scheme and token; its last words alone may be anybody's.
        if (token.find(' ') == std::string_view::npos && token.size() >= 4) add(std::string(token));
    }
    add(std::string(raw));
    add(json_form(raw, false));
    add(json_form(raw, true));
    add(percent_form(raw, upper_hex));
    add(percent_form(raw, lower_hex));
    // Three bytes make a unit of base64: a shorter secret would be found in anybody's base64.
    if (raw.size() >= 6) add(base64_form(raw));
}

credential_forms& credential_forms::operator=(credential_forms&& other) noexcept
{
    if (this != &other) {
        wipe();
        forms_ = std::move(other.forms_);
        longest_ = other.longest_;
    }
    return *this;
}

credential_forms::~credential_forms() { wipe(); }

void credential_forms::wipe() noexcept
{
    for (std::string& form : forms_) wipe_string(form);
    forms_.clear();
    longest_ = 0;
}

bool credential_forms::found_in(std::string_view text) const noexcept
{
    for (const std::string& form : forms_) {
        if (form.size() <= text.size() && ::memmem(text.data(), text.size(), form.data(), form.size()) != nullptr) return true;
    }
    return false;
}

std::string credential_forms::redact(std::string_view text) const
{
    redactor one(*this);
    std::string out(one.feed(text));
    out += one.finish();
    return out;
}

redactor::~redactor()
{
    wipe_string(held_);
    wipe_string(joined_);
}

std::string_view redactor::feed(std::string_view piece)
{
    if (forms_->empty() || piece.empty()) return piece;
    if (held_.empty()) return run(piece, false);
    joined_.assign(held_).append(piece);
    return run(joined_, false);
}

std::string_view redactor::finish()
{
    if (held_.empty()) return {};
    joined_.assign(held_);
    return run(joined_, true);
}

std::string_view redactor::run(std::string_view text, bool last)
{
    spans_.clear();
    if (covered_ > 0) spans_.push_back({0, covered_});
    for (const std::string& form : forms_->forms_) {
        // Overlapping occurrences count: of `aa` in `aaa` nothing may remain.
        for (std::size_t from = 0; from + form.size() <= text.size();) {
            const void* hit = ::memmem(text.data() + from, text.size() - from, form.data(), form.size());
            if (hit == nullptr) break;
            const auto at = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
            spans_.push_back({at, at + form.size()});
            from = at + 1;
        }
    }

    // From `cut` on, a later piece may still complete an occurrence.
    std::size_t cut = text.size();
    if (!last) {
        const std::size_t reach = std::min(text.size(), forms_->longest() - 1);
        for (const std::string& form : forms_->forms_) {
            const std::size_t most = std::min(reach, form.size() - 1);
            for (std::size_t start = text.size() - most; start < cut; ++start) {
                const void* hit = std::memchr(text.data() + start, form.front(), cut - start);
                if (hit == nullptr) break;
                start = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
                if (std::memcmp(text.data() + start, form.data(), text.size() - start) == 0) {
                    cut = start;
                    break;
                }
            }
        }
    }

    if (spans_.empty() && cut == text.size()) {
        held_.clear();
        return text;
    }
    std::sort(spans_.begin(), spans_.end(),
              [](const span& a, const span& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });

    out_.clear();
    std::size_t done = 0;                 // everything before it is passed on or covered
    const bool announced = covered_ > 0;  // the span at 0 has its `[credential]` already
    std::size_t covered = 0;
    for (std::size_t i = 0; i < spans_.size();) {
        span whole = spans_[i];
        while (++i < spans_.size() && spans_[i].begin < whole.end) whole.end = std::max(whole.end, spans_[i].end);
        const bool goes_on = announced && whole.begin == 0;
        if (whole.begin >= cut && !goes_on) break;
        if (!goes_on) {
            out_.append(text.substr(done, whole.begin - done));
            out_.append(redacted);
        }
        done = whole.end;
        if (whole.end > cut) {
            covered = whole.end - cut;
            break;
        }
    }
    if (done < cut) out_.append(text.substr(done, cut - done));
    held_.assign(text.substr(cut));
    covered_ = covered;
    return out_;
}

}  // namespace sallyport::forward
