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

int hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_alphanumeric(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Places in a text, few: how far a form has been read, for each way to read it.
class places {
public:
    void add(std::size_t at) noexcept
    {
        if (std::find(begin(), end(), at) == end() && count_ < at_.size()) at_[count_++] = at;
    }
    const std::size_t* begin() const noexcept { return at_.data(); }
    const std::size_t* end() const noexcept { return at_.data() + count_; }
    bool empty() const noexcept { return count_ == 0; }

private:
    std::array<std::size_t, 8> at_{};
    std::size_t count_ = 0;
};

/// Reads one character of a form at one place of a text, in every spelling.
class speller {
public:
    explicit speller(std::string_view text) noexcept : text_(text) {}
    /// The text ended where the spelling might have gone on.
    bool cut() const noexcept { return cut_; }

    void read(char wanted, std::size_t at, places& behind) noexcept
    {
        if (at == text_.size()) {
            cut_ = true;
            return;
        }
        const char c = text_[at];
        if (c == wanted || (c == '+' && wanted == ' ')) behind.add(at + 1);
        switch (c) {
        case '%': return percent(wanted, at + 1, behind);
        case '\\': return backslash(wanted, at + 1, behind);
        case '&': return entity(wanted, at + 1, behind);
        default: return;
        }
    }

private:
    /// Digits of a base, `least` to `most` of them; their number, or -1. `at` is moved behind them.
    int number(int base, std::size_t least, std::size_t most, std::size_t& at) noexcept
    {
        int value = 0;
        std::size_t digits = 0;
        for (; digits < most; ++digits, ++at) {
            if (at == text_.size()) {
                cut_ = true;
                return -1;
            }
            const int digit = hex_digit(text_[at]);
            if (digit < 0 || digit >= base) break;
            value = value * base + digit;
        }
        return digits >= least ? value : -1;
    }
    bool follows(std::string_view what, std::size_t at) noexcept
    {
        const std::string_view there = text_.substr(at, what.size());
        if (there.size() < what.size() && what.starts_with(there)) cut_ = true;
        return there == what;
    }
    static int code(char c) noexcept { return static_cast<std::uint8_t>(c); }

    /// RFC 3986 §2.1, also encoded again: `%2F`, `%252F`.
    void percent(char wanted, std::size_t at, places& behind) noexcept
    {
        for (int times = 0; times < 3; ++times) {
            std::size_t end = at;
            const int value = number(16, 2, 2, end);
            if (value < 0) return;
            if (value == code(wanted)) behind.add(end);
            if (value != '%') return;
            at = end;
        }
    }
    /// As in strings of JSON and scripts (RFC 8259 §7), also in strings within strings: `\/`, `\\\/`, `\u002f`, `\x2f`.
    void backslash(char wanted, std::size_t at, places& behind) noexcept
    {
        std::size_t slashes = 1;
        while (slashes < 8 && at < text_.size() && text_[at] == '\\') {
            ++slashes;
            ++at;
            if (wanted == '\\' && (slashes == 2 || slashes == 4 || slashes == 8)) behind.add(at);
        }
        if (at == text_.size()) {
            cut_ = true;
            return;
        }
        const char c = text_[at];
        if (c == wanted && c != '\\' && !is_alphanumeric(c)) behind.add(at + 1);
        if (c != 'u' && c != 'x') return;
        const std::size_t digits = c == 'u' ? 4 : 2;
        std::size_t end = at + 1;
        if (number(16, digits, digits, end) == code(wanted)) behind.add(end);
    }
    /// HTML and XML: `&amp;`, `&#43;`, `&#x2B;`.
    void entity(char wanted, std::size_t at, places& behind) noexcept
    {
        struct named {
            char c;
            std::string_view text;
        };
        constexpr named names[] = {{'&', "amp;"}, {'<', "lt;"}, {'>', "gt;"}, {'"', "quot;"}, {'\'', "apos;"}};
        for (const named& one : names)
            if (one.c == wanted && follows(one.text, at)) behind.add(at + one.text.size());
        if (!follows("#", at)) return;
        ++at;
        if (at == text_.size()) {
            cut_ = true;
            return;
        }
        const bool hex = text_[at] == 'x' || text_[at] == 'X';
        if (hex) ++at;
        const int value = number(hex ? 16 : 10, 1, 6, at);
        if (value == code(wanted) && follows(";", at)) behind.add(at + 1);
    }

    std::string_view text_;
    bool cut_ = false;
};

struct reading {
    std::size_t end = 0;  // behind the occurrence; 0: there is none
    bool cut = false;     // more text may make one
};

reading read_form(std::string_view form, std::string_view text, std::size_t from) noexcept
{
    speller spelled(text);
    places here;
    here.add(from);
    for (const char wanted : form) {
        places behind;
        for (const std::size_t at : here) spelled.read(wanted, at, behind);
        if (behind.empty()) return {0, spelled.cut()};
        here = behind;
    }
    return {*std::max_element(here.begin(), here.end()), spelled.cut()};
}

/// Quick, for most places: no spelling of `form` is there.
bool begins_otherwise(std::string_view form, std::string_view text, std::size_t from) noexcept
{
    const auto escapes = [](char c) { return c == '%' || c == '\\' || c == '&' || c == '+'; };
    if (text[from] != form.front()) return !escapes(text[from]);
    return form.size() > 1 && from + 1 < text.size() && text[from + 1] != form[1] && !escapes(text[from + 1]) && !escapes(text[from]);
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
        begins_[static_cast<std::uint8_t>(form.front())] = true;
        if (form.front() == ' ') begins_['+'] = true;
        forms_.push_back(std::move(form));
    };
    // Also with the alphabet for URLs and file names (RFC 4648 §5).
    const auto add_base64 = [&add](std::string form) {
        std::string in_urls = form;
        std::replace(in_urls.begin(), in_urls.end(), '+', '-');
        std::replace(in_urls.begin(), in_urls.end(), '/', '_');
        add(std::move(form));
        add(std::move(in_urls));
    };
    forms_.reserve(9);
    begins_['%'] = begins_['\\'] = begins_['&'] = true;
    add(std::string(header_value));
    const bool basic = header_value.starts_with("Basic ");
    // `scheme SP token` (RFC 9110 §11.4): the token alone is the credential too. Of `Basic` it is the base64.
    if (const auto space = header_value.find(' '); space != std::string_view::npos) {
        std::string_view token = header_value.substr(space + 1);
        while (token.ends_with('=')) token.remove_suffix(1);
        // What has several words is no scheme and token; its last words alone may be anybody's.
        if (token.find(' ') == std::string_view::npos && token.size() >= 4) add(std::string(token));
    }
    add(std::string(raw));
    if (raw.size() >= least_alone) add_base64(base64_form(raw));
    if (const auto colon = raw.find(':'); basic && colon != std::string_view::npos) {
        const std::string_view user = raw.substr(0, colon), password = raw.substr(colon + 1);
        // Some upstreams take a key as the user, with no password or any.
        const std::string_view alone = password.size() >= least_alone ? password : user;
        if (alone.size() >= least_alone) {
            add(std::string(alone));
            add_base64(base64_form(alone));
        }
    }
}

credential_forms& credential_forms::operator=(credential_forms&& other) noexcept
{
    if (this != &other) {
        wipe();
        forms_ = std::move(other.forms_);
        begins_ = other.begins_;
    }
    return *this;
}

credential_forms::~credential_forms() { wipe(); }

void credential_forms::wipe() noexcept
{
    for (std::string& form : forms_) wipe_string(form);
    forms_.clear();
    begins_ = {};
}

bool credential_forms::found_in(std::string_view text) const noexcept
{
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!begins_[static_cast<std::uint8_t>(text[at])]) continue;
        for (const std::string& form : forms_)
            if (!begins_otherwise(form, text, at) && read_form(form, text, at).end != 0) return true;
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
    // Occurrences that overlap count each: of `aa` in `aaa` nothing may remain. From `cut` on, a later piece may still
    // complete one.
    std::size_t cut = text.size();
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!forms_->begins_[static_cast<std::uint8_t>(text[at])]) continue;
        for (const std::string& form : forms_->forms_) {
            if (begins_otherwise(form, text, at)) continue;
            const reading found = read_form(form, text, at);
            if (found.end != 0) spans_.push_back({at, found.end});
            if (found.cut && !last) cut = std::min(cut, at);
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
