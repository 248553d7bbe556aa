#include "gateway/policy/summary.hpp"

#include "gateway/policy/cel/text.hpp"
#include "gateway/policy/cel/value_json.hpp"
#include "gateway/policy/inert_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>

namespace sallyport::policy {
namespace {

using namespace cel;

/// Where the string that begins at `at` ends, behind its quotes; the text's end when it does not.
std::size_t behind_string(std::string_view text, std::size_t at)
{
    const char mark = text[at];
    const bool raw = at > 0 && (text[at - 1] == 'r' || text[at - 1] == 'R');
    const bool triple = text.substr(at, 3) == std::string(3, mark);
    const std::string end(triple ? 3 : 1, mark);
    for (at += end.size(); at < text.size(); ++at) {
        if (text[at] == '\\' && !raw)
            ++at;
        else if (text.substr(at).starts_with(end))
            return at + end.size();
    }
    return text.size();
}

/// The brace that closes a placeholder whose expression begins at `at`; npos when there is none. Braces of maps and
/// whatever is in strings belong to the expression.
std::size_t closing_brace(std::string_view text, std::size_t at)
{
    std::size_t open = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"' || c == '\'') {
            at = behind_string(text, at);
            continue;
        }
        if (c == '{') ++open;
        if (c == '}' && open-- == 0) return at;
        ++at;
    }
    return std::string_view::npos;
}

// JSON again, with the numbers as they were written. What is beyond the limit of a summary is not even made.
void append_body(std::string& out, const json::value& v)
{
    if (out.size() > 4 * inert_limit) return;
    switch (v.kind()) {
    case json::kind::null: out += "null"; return;
    case json::kind::boolean: out += v.boolean() ? "true" : "false"; return;
    case json::kind::integer:
    case json::kind::real: out += v.number_text(); return;
    case json::kind::string: append_json_string(out, v.string().substr(0, 4 * inert_limit)); return;
    case json::kind::array:
    case json::kind::object: break;
    }
    const bool object = v.is(json::kind::object);
    out.push_back(object ? '{' : '[');
    for (std::size_t i = 0; i < v.size() && out.size() <= 4 * inert_limit; ++i) {
        if (i > 0) out.push_back(',');
        if (object) {
            append_json_string(out, v.key(i).substr(0, 4 * inert_limit));
            out.push_back(':');
        }
        append_body(out, v.at(i));
    }
    out.push_back(object ? '}' : ']');
}

const json::value* follow(const json::value* v, const std::vector<program::step>& steps)
{
    for (const program::step& s : steps) {
        if (!v) return nullptr;
        if (s.element < 0) {
            v = v->find(s.name);
        } else {
            const auto element = static_cast<std::size_t>(s.element);
            v = v->is(json::kind::array) && element < v->size() ? &v->at(element) : nullptr;
        }
    }
    return v;
}

void append_shown(std::string& out, const json::value& v)
{
    if (v.is(json::kind::string)) {
        append_inert(out, v.string());
        return;
    }
    std::string text;
    append_body(text, v);
    append_inert(out, text);
}

void append_shown(std::string& out, const value& v)
{
    if (v.failed()) {
        out += '?';
    } else if (v.is(kind::json_array) || v.is(kind::json_object)) {
        append_shown(out, v.json());
    } else if (v.is(kind::string) || v.is(kind::type)) {
        append_inert(out, v.text());
    } else if (v.is(kind::timestamp)) {
        out += timestamp_text(v.seconds(), v.nanoseconds());
    } else if (v.is(kind::duration)) {
        out += duration_text(v.duration());
    } else {
        std::string text;
        append_json(text, v);
        append_inert(out, text);
    }
}

}  // namespace

summary_template summary_template::compile(std::string_view text, std::vector<mistake>& mistakes)
{
    summary_template made;
    std::string words;
    std::size_t at = 0;
    while (at < text.size()) {
        const char c = text[at];
        if ((c == '{' || c == '}') && text.substr(at + 1).starts_with(c)) {
            words.push_back(c);
            at += 2;
        } else if (c == '{') {
            const std::size_t begin = at + 1, end = closing_brace(text, begin);
            if (end == std::string_view::npos) {
                mistakes.push_back({at, "a placeholder without its end; a brace by itself is written `{{`"});
                return made;
            }
            compiled placeholder = cel::compile(text.substr(begin, end - begin), conditions_environment());
            for (mistake& m : placeholder.mistakes) mistakes.push_back({begin + m.offset, std::move(m.message)});
            made.parts_.push_back({std::move(words), std::move(placeholder.program)});
            words.clear();
            at = end + 1;
        } else {
            words.push_back(c);
            ++at;
        }
    }
    if (!words.empty()) made.parts_.push_back({std::move(words), std::nullopt});
    return made;
}

std::string summary_template::render(const call_facts& call) const
{
    std::array<std::byte, 1024> near;
    std::pmr::monotonic_buffer_resource arena(near.data(), near.size());
    workspace work(arena, default_work);
    call_activation facts(call);
    std::string out;
    for (const part& p : parts_) {
        out += p.words;
        if (!p.placeholder) continue;
        // A path into the body is followed in the document itself, which still has the numbers as they were written.
        if (const auto* path = p.placeholder->sole_path(slot_of(fact::body))) {
            if (const json::value* found = follow(call.body, *path))
                append_shown(out, *found);
            else
                out += '?';
            continue;
        }
        work.refill(default_work);
        append_shown(out, p.placeholder->run(facts, work));
    }
    return out;
}

bool summary_template::reads_body() const noexcept
{
    return std::ranges::any_of(parts_, [](const part& p) { return p.placeholder && p.placeholder->reads(slot_of(fact::body)); });
}

void summary_template::add_body_paths(std::vector<std::string>& pointers) const
{
    for (const part& p : parts_)
        if (p.placeholder)
            for (std::string& pointer : p.placeholder->paths_below(slot_of(fact::body))) pointers.push_back(std::move(pointer));
}

}  // namespace sallyport::policy
