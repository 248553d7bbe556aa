#include "gateway/config/reader.hpp"

#include "workflows/agent.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace sallyport::config {
namespace {

bool control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string_view name_of_kind(const yaml::node& node) noexcept
{
    switch (node.kind) {
    case yaml::node::kind::null: return "nothing";
    case yaml::node::kind::scalar: return "a text";
    case yaml::node::kind::list: return "a list";
    case yaml::node::kind::map: return "a map";
    }
    return "nothing";
}

struct unit {
    std::string_view name;
    std::uint64_t bytes;
};
constexpr auto units = std::to_array<unit>({{"B", 1},
                                            {"KiB", 1 << 10},
                                            {"MiB", 1 << 20},
                                            {"GiB", 1 << 30},
                                            {"kB", 1'000},
                                            {"KB", 1'000},
                                            {"MB", 1'000'000},
                                            {"GB", 1'000'000'000}});

std::string size_text(std::uint64_t bytes)
{
    for (const auto& [name, each] : {unit{"GiB", 1 << 30}, unit{"MiB", 1 << 20}, unit{"KiB", 1 << 10}})
        if (bytes >= each && bytes % each == 0) return std::to_string(bytes / each) + std::string(name);
    return std::to_string(bytes) + "B";
}

// A whole number in digits, as JSON writes it.
std::optional<std::uint64_t> digits(std::string_view text) noexcept
{
    std::uint64_t number = 0;
    if (text.size() > 1 && text[0] == '0') return std::nullopt;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

void reading::add(std::vector<finding>& to, const value& at, std::size_t begin, std::string message)
{
    const auto where = at.file->document.at(begin);
    to.push_back({at.file->name, where.line, where.column, std::move(message)});
}

void reading::error_in(const value& scalar, std::size_t offset, std::string message)
{
    const auto where = scalar.file->document.in(*scalar.node, offset);
    errors.push_back({scalar.file->name, where.line, where.column, std::move(message)});
}

void reading::warning_in(const value& scalar, std::size_t offset, std::string message)
{
    const auto where = scalar.file->document.in(*scalar.node, offset);
    warnings.push_back({scalar.file->name, where.line, where.column, std::move(message)});
}

std::string reading::place(const value& v) { return v.file->name + ":" + std::to_string(v.file->document.at(v.node->begin).line); }

std::optional<std::string> reading::text(const value& v, std::string_view what)
{
    if (v.node->kind == yaml::node::kind::scalar) return v.node->text;
    error(v,
          std::string(what) +
              (v.node->kind == yaml::node::kind::null ? " has no value" : " must be one value, not " + std::string(name_of_kind(*v.node))));
    return std::nullopt;
}

std::optional<bool> reading::boolean(const value& v, std::string_view what)
{
    const auto word = text(v, what);
    if (!word) return std::nullopt;
    if (v.node->plain() && *word == "true") return true;
    if (v.node->plain() && *word == "false") return false;
    error(v, std::string(what) + " must be true or false, without quotes");
    return std::nullopt;
}

std::optional<std::uint64_t> reading::number(const value& v, std::string_view what, std::uint64_t least, std::uint64_t most)
{
    const auto word = text(v, what);
    if (!word) return std::nullopt;
    const auto n = v.node->plain() ? digits(*word) : std::nullopt;
    if (n && *n >= least && *n <= most) return n;
    error(v, std::string(what) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", not `" +
                 shown(*word) + "`");
    return std::nullopt;
}

std::optional<sallyport::duration> reading::duration(const value& v, std::string_view what)
{
    const auto word = text(v, what);
    if (!word) return std::nullopt;
    if (const auto d = parse_duration(*word)) return d;
    const bool bare = digits(*word).has_value();
    error(v, std::string(what) + " must be a duration such as 30s, 10m, 24h or 7d, not `" + shown(*word) + "`" +
                 (bare ? ": the unit is missing" : ""));
    return std::nullopt;
}

std::optional<std::uint64_t> reading::size(const value& v, std::string_view what, std::uint64_t least, std::uint64_t most)
{
    const auto word = text(v, what);
    if (!word) return std::nullopt;
    const auto split = std::min(word->find_first_not_of("0123456789"), word->size());
    const auto count = digits(std::string_view(*word).substr(0, split));
    const auto u = std::find_if(units.begin(), units.end(), [&](const unit& x) { return x.name == std::string_view(*word).substr(split); });
    if (!count || u == units.end()) {
        error(v, std::string(what) + " must be a size such as 64KiB, 1MiB, 10MB or 512B, not `" + shown(*word) + "`" +
                     (count && split == word->size() ? ": the unit is missing" : ""));
        return std::nullopt;
    }
    if (*count > most / u->bytes || *count * u->bytes < least) {
        error(v, std::string(what) + " must be from " + size_text(least) + " to " + size_text(most) + ", not `" + shown(*word) + "`");
        return std::nullopt;
    }
    return *count * u->bytes;
}

std::optional<std::string> reading::name(const value& v, std::string_view what)
{
    auto word = text(v, what);
    if (!word) return std::nullopt;
    if (valid_name(*word)) return word;
    error(v,
          std::string(what) + " must be a name of 1 to 64 of a-z 0-9 . _ - that begins with a letter or digit, not `" + shown(*word) + "`");
    return std::nullopt;
}

std::optional<std::filesystem::path> reading::path(const value& v, std::string_view what)
{
    const auto word = text(v, what);
    if (!word) return std::nullopt;
    if (word->empty() || std::any_of(word->begin(), word->end(), control)) {
        error(v, std::string(what) + " must be a file's path");
        return std::nullopt;
    }
    auto whole = (v.file->directory / *word).lexically_normal();
    std::error_code ignored;
    if (!std::filesystem::exists(whole, ignored)) warning(v, "there is no file " + one_line(whole.string()) + " here now");
    return whole;
}

std::optional<secret_source> reading::secret(const value& v, std::string_view what)
{
    constexpr std::string_view keys[] = {"env", "file"};
    // The text is not repeated: it may be the secret.
    if (v.node->kind == yaml::node::kind::scalar) {
        error(v, std::string(what) + " is a secret and never written here; say where it is: { env: NAME } or { file: PATH }");
        return std::nullopt;
    }
    const section s(*this, v, what, keys);
    if (!s) return std::nullopt;
    const auto env = s.find("env"), file = s.find("file");
    if (env.has_value() == file.has_value()) {
        error(v, std::string(what) + " needs either `env` or `file`");
        return std::nullopt;
    }
    secret_source source;
    if (file) {
        const auto p = path(*file, "`file`");
        if (!p) return std::nullopt;
        source.kind = secret_source::kind::file;
        source.file = *p;
        return source;
    }
    const auto variable = text(*env, "`env`");
    if (!variable) return std::nullopt;
    const auto fits = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (variable->empty() || variable->size() > 128 || !std::all_of(variable->begin(), variable->end(), fits) || (*variable)[0] <= '9') {
        error(*env, "`env` must be the name of an environment variable, such as SMTP_PASSWORD");
        return std::nullopt;
    }
    source.env = *variable;
    return source;
}

void reading::not_among(const value& v, std::string_view what, std::string_view word, std::span<const std::string_view> words)
{
    error(v, std::string(what) + " must be " + one_of(words) + ", not `" + shown(word) + "`");
}

std::optional<std::vector<value>> reading::list(const value& v, std::string_view what, bool single)
{
    if (single && v.node->kind == yaml::node::kind::scalar) return std::vector<value>{v};
    if (v.node->kind != yaml::node::kind::list) {
        error(v,
              std::string(what) + (v.node->kind == yaml::node::kind::null ? " has no value; write [] for none"
                                                                          : " must be a list, not " + std::string(name_of_kind(*v.node))));
        return std::nullopt;
    }
    std::vector<value> items;
    for (const auto& item : v.node->items) items.push_back({v.file, &item});
    return items;
}

std::optional<std::vector<entry>> reading::members(const value& v, std::string_view what)
{
    if (v.node->kind != yaml::node::kind::map) {
        error(v,
              std::string(what) + (v.node->kind == yaml::node::kind::null ? " has no value; write {} for none"
                                                                          : " must be a map, not " + std::string(name_of_kind(*v.node))));
        return std::nullopt;
    }
    std::vector<entry> entries;
    for (const auto& m : v.node->members) entries.push_back({m.key, m.begin, {v.file, &m.value}});
    return entries;
}

section::section(reading& r, const value& v, std::string_view what, std::span<const std::string_view> keys)
    : reading_(r),
      value_(v),
      what_(what)
{
    const auto entries = r.members(v, what);
    if (!entries) return;
    is_map_ = true;
    for (const auto& e : *entries) {
        if (std::find(keys.begin(), keys.end(), e.key) != keys.end()) continue;
        const auto meant = nearest(e.key, keys);
        r.error_at_key(e, "unknown key `" + shown(e.key) + "` in " + what_ +
                              (meant.empty() ? "; it may have " + one_of(keys) : "; did you mean `" + std::string(meant) + "`?"));
    }
}

std::optional<entry> section::find_entry(std::string_view key) const
{
    const auto* m = is_map_ ? value_.node->find(key) : nullptr;
    if (!m) return std::nullopt;
    return entry{m->key, m->begin, {value_.file, &m->value}};
}

std::optional<value> section::find(std::string_view key) const
{
    const auto e = find_entry(key);
    if (!e) return std::nullopt;
    return e->value;
}

std::optional<value> section::need(std::string_view key) const
{
    auto v = find(key);
    if (!v && is_map_) reading_.error(value_, what_ + " needs `" + std::string(key) + "`");
    return v;
}

}  // namespace sallyport::config
