#include "gateway/config/yaml.hpp"

#include "gateway/config/scalar_place.hpp"
#include "gateway/config/words.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <sstream>
#include <unordered_set>
#include <utility>

namespace sallyport::config::yaml {
namespace {

// What ends the parser early; it is thrown through yaml-cpp and caught in parse().
struct given_up {};

// Controls, other alphabets' line ends, and what turns the direction of text: a rule must read as it is judged
// ("Trojan Source", CVE-2021-42574). Such a character can be written as an escape in double quotes.
bool unseen(std::uint32_t c) noexcept
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

bool leading_zero(std::string_view text) noexcept
{
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return text.size() > 1 && text[0] == '0' && text.find_first_not_of("0123456789_") == std::string_view::npos;
}

// Builds the tree from yaml-cpp's events, which come in the order of the file.
class builder final : public YAML::EventHandler {
public:
    builder(std::string_view text, const document& places, std::vector<mistake>& mistakes)
        : text_(text),
          places_(places),
          mistakes_(mistakes)
    {
    }

    node root;
    bool complete = true;  // nothing was left out that others may look for

    void OnDocumentStart(const YAML::Mark& mark) override
    {
        if (++documents_ == 1) return;
        wrong(byte(mark), "a second document; a file holds one, so write it without `---`");
        throw given_up{};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        // The mark of a value that is not there is where the next thing begins, perhaps lines further on.
        std::size_t begin = byte(mark);
        const bool written = begin < text_.size() && (text_[begin] == '~' || text_[begin] == 'n' || text_[begin] == 'N');
        if (!written && !open_.empty()) {
            const auto& in = open_.back();
            if (in.value.kind == node::kind::map && in.has_key)
                begin = in.key_begin;
            else
                begin = behind_last(begin);
        }
        node value;
        value.begin = begin;
        if (anchor != 0) wrong(begin, no_anchors);
        add(std::move(value));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override
    {
        wrong(byte(mark), no_aliases);
        node value;
        value.begin = byte(mark);
        add(std::move(value), true);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override
    {
        node scalar;
        scalar.kind = node::kind::scalar;
        scalar.begin = byte(mark);
        scalar.text = value;
        properties(scalar.begin, tag, anchor);
        if (scalar.begin < text_.size()) {
            switch (text_[scalar.begin]) {
            case '\'': scalar.style = node::style::single_quoted; break;
            case '"': scalar.style = node::style::double_quoted; break;
            case '|': scalar.style = node::style::literal; break;
            case '>': scalar.style = node::style::folded; break;
            default: break;
            }
        }
        if (scalar.plain() && leading_zero(value))
            wrong(scalar.begin, "`" + shown(value) + "`: a number has no leading zero (some read it as octal); quote it if it is text");
        add(std::move(scalar));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override
    {
        open(node::kind::list, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override
    {
        open(node::kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

    void wrong(std::size_t begin, std::string message) { mistakes_.push_back({places_.at(begin), std::move(message)}); }
    std::size_t byte(const YAML::Mark& mark) const noexcept
    {
        return mark.pos < 0 ? 0 : std::min(static_cast<std::size_t>(mark.pos), text_.size());
    }

    static constexpr const char* no_anchors = "anchors (`&name`) are not read here; write the value out";
    static constexpr const char* no_aliases =
        "aliases (`*name`) are not read here; write the value out, and quote a text that begins with `*`";

private:
    struct frame {
        node value;
        bool has_key = false;  // a map's next event is this key's value
        bool drop = false;     // that value has no place to go
        bool bad = false;      // stands where it is not allowed: read to its end, then dropped
        std::string key;
        std::size_t key_begin = 0;
        std::unordered_set<std::string> keys;
    };

    void properties(std::size_t begin, const std::string& tag, YAML::anchor_t anchor)
    {
        // A property that stands before the value is where its mark is.
        const char first = begin < text_.size() ? text_[begin] : '\0';
        if (anchor != 0) wrong(begin, no_anchors);
        if (first == '!' || (tag != "?" && tag != "!"))
            wrong(begin, "tags (`!name`) are not read here; the place of a value says what it is");
    }
    // For an empty place in a list: the dash before it.
    std::size_t behind_last(std::size_t begin) const noexcept
    {
        const auto last = text_.substr(0, begin).find_last_not_of(" \t\n");
        return last == std::string_view::npos ? begin : last;
    }
    void count()
    {
        if (++nodes_ > most_nodes) {
            wrong(0, "more than " + std::to_string(most_nodes) + " values in one file");
            throw given_up{};
        }
    }
    void open(enum node::kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor)
    {
        count();
        frame next;
        next.value.kind = kind;
        next.value.begin = byte(mark);
        properties(next.value.begin, tag, anchor);
        if (open_.size() >= deepest) {
            wrong(next.value.begin, "more than " + std::to_string(deepest) + " levels of maps and lists");
            throw given_up{};
        }
        if (!open_.empty() && open_.back().value.kind == node::kind::map && !open_.back().has_key) next.bad = true;
        open_.push_back(std::move(next));
    }
    void close()
    {
        frame done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.value), done.bad);
    }
    void add(node value, bool drop = false)
    {
        count();
        if (open_.empty()) {
            if (drop)
                complete = false;
            else
                root = std::move(value);
            return;
        }
        frame& in = open_.back();
        if (in.value.kind == node::kind::list) {
            if (drop)
                complete = false;
            else
                in.value.items.push_back(std::move(value));
        } else if (!in.has_key) {
            take_key(in, value, drop);
        } else {
            in.has_key = false;
            if (drop)
                complete = false;
            else if (!in.drop)
                in.value.members.push_back({std::move(in.key), in.key_begin, std::move(value)});
        }
    }
    void take_key(frame& in, node& key, bool drop)
    {
        in.has_key = true;
        in.drop = true;
        in.key_begin = key.begin;
        if (drop || key.kind != node::kind::scalar) {
            complete = false;
            if (!drop || key.kind != node::kind::null) wrong(key.begin, "a key must be a text");
            return;
        }
        if (key.plain() && key.text == "<<") {
            complete = false;
            return wrong(key.begin, "merge keys (`<<`) are not read here; write the values out");
        }
        if (!in.keys.insert(key.text).second) return wrong(key.begin, "the key `" + shown(key.text) + "` is in this map twice");
        in.drop = false;
        in.key = std::move(key.text);
    }

    std::string_view text_;
    const document& places_;
    std::vector<mistake>& mistakes_;
    std::vector<frame> open_;
    std::size_t documents_ = 0;
    std::size_t nodes_ = 0;
};

std::string hexadecimal(std::uint32_t c)
{
    std::array<char, 12> text{};
    return {text.data(), static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "U+%04X", c))};
}

}  // namespace

const member* node::find(std::string_view key) const noexcept
{
    const auto at = std::find_if(members.begin(), members.end(), [&](const member& m) { return m.key == key; });
    return at == members.end() ? nullptr : &*at;
}

position document::at(std::size_t byte) const noexcept
{
    byte = std::min(byte, text_.size());
    const auto next = std::upper_bound(lines_.begin(), lines_.end(), byte);
    const std::size_t start = *(next - 1);
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    const auto extra =
        std::count_if(text_.begin() + static_cast<std::ptrdiff_t>(start), text_.begin() + static_cast<std::ptrdiff_t>(byte), continues);
    return {static_cast<std::size_t>(next - lines_.begin()), byte - start - static_cast<std::size_t>(extra) + 1};
}

position document::in(const node& scalar, std::size_t offset) const noexcept
{
    // What is missing at the end is missing behind the last word, not behind the line breaks that follow it.
    const auto last = scalar.text.find_last_not_of(" \t\n");
    if (last != std::string::npos) offset = std::min(offset, last + 1);
    return at(place_of(text_, scalar, offset));
}

std::optional<document> document::parse(std::string text, std::vector<mistake>& mistakes)
{
    document doc;
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    doc.text_.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') doc.text_ += text[i];
    doc.lines_.push_back(0);
    for (std::size_t i = 0; i < doc.text_.size(); ++i)
        if (doc.text_[i] == '\n') doc.lines_.push_back(i + 1);

    const std::string_view whole = doc.text_;
    if (whole.size() > longest_text) {
        mistakes.push_back({{}, "longer than 1 MiB"});
        return std::nullopt;
    }
    // yaml-cpp would replace what is not UTF-8, and end at a control character.
    for (std::size_t i = 0; i < whole.size();) {
        const code_point c = read_utf8(whole.substr(i));
        if (c.bytes == 0) {
            mistakes.push_back({doc.at(i), "not UTF-8"});
            return std::nullopt;
        }
        if (unseen(c.value)) {
            mistakes.push_back(
                {doc.at(i), "the character " + hexadecimal(c.value) + " cannot be seen; write it as an escape in double quotes"});
            return std::nullopt;
        }
        i += c.bytes;
    }

    builder build(doc.text_, doc, mistakes);
    try {
        std::istringstream in(doc.text_);
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(build)) {}
    } catch (const given_up&) {
        return std::nullopt;
    } catch (const YAML::Exception& e) {
        const std::string_view message = e.msg;
        std::size_t begin = build.byte(e.mark);
        const bool alias = message == YAML::ErrorMsg::UNKNOWN_ANCHOR || message == YAML::ErrorMsg::ALIAS_NOT_FOUND;
        if (alias && begin > 0 && whole[begin - 1] == '*') --begin;
        build.wrong(begin, alias ? builder::no_aliases : "not YAML: " + e.msg);
        return std::nullopt;
    } catch (const std::exception& e) {
        mistakes.push_back({{}, std::string("cannot be read as YAML: ") + e.what()});
        return std::nullopt;
    }
    if (!build.complete) return std::nullopt;
    doc.root_ = std::move(build.root);
    if (doc.root_.kind == node::kind::null) doc.root_.kind = node::kind::map;
    return doc;
}

}  // namespace sallyport::config::yaml
