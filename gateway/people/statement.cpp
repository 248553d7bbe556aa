#include "gateway/people/statement.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/identity/hold_json.hpp"
#include "gateway/people/challenge.hpp"
#include "workflows/hold_step.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <stdexcept>

namespace sallyport::people {
namespace {

constexpr std::string_view type_of_statement = "sallyport.statement.v1";
// In the place of a number, so that whoever reads what was signed sees it.
constexpr std::string_view glass_slot = "break-glass";
constexpr std::size_t random_part = 16, tag_part = 16;

boost::json::value or_null(std::string_view text)
{
    if (text.empty()) return nullptr;
    return boost::json::value(text);
}

boost::json::value task_of(std::string_view recorded)
{
    if (recorded.empty()) return nullptr;
    const auto parsed = json::document::parse(recorded);
    if (!parsed || !parsed->root().is(json::kind::object)) return nullptr;
    boost::json::object task{{"id", nullptr}, {"intent", nullptr}};
    for (auto& [name, value] : task)
        if (const json::value* found = parsed->root().find(name); found && found->is(json::kind::string)) value = found->string();
    return task;
}

// The one text, with the nonce replaced; empty when `text` is no object in RFC 8785 form with a nonce.
std::string with_nonce(std::string_view text, const json::value& root, std::string_view nonce)
{
    const json::value* old = root.find("nonce");
    if (!old || jcs(root) != text) return {};
    // In canonical form the member has exactly this text, and no string can hold an unescaped quote.
    const std::string member = "\"nonce\":\"" + std::string(old->string()) + "\"";
    const auto at = text.find(member);
    if (at == std::string_view::npos || text.find(member, at + 1) != std::string_view::npos) return {};
    return std::string(text.substr(0, at)) + "\"nonce\":\"" + std::string(nonce) + "\"" + std::string(text.substr(at + member.size()));
}

}  // namespace

digest summary_digest(const hold& h) { return sha256(jcs(boost::json::value(identity::reasons_json(h)))); }

std::string write_statement(const storage::stored_hold& held, std::string_view agent_name, const person& approver,
                            const statement_request& asked, std::string_view key)
{
    const hold& h = held.hold;
    boost::json::array rules;
    for (const reason& r : h.reasons) rules.emplace_back(r.rule);
    const bool approves = asked.decision == decision_kind::approve;
    boost::json::object statement{
        {"type", type_of_statement},
        {"hold", h.id.text()},
        {"decision", name_of(asked.decision)},
        {"reason", or_null(asked.reason)},
        {"action",
         {{"id", h.action.text()},
          {"method", held.action.method},
          {"authority", held.action.authority},
          {"target", held.action.target},
          {"content_digest", or_null(held.action.content_digest)},
          {"digest", held.action.digest}}},
        {"agent", {{"id", h.agent.text()}, {"name", agent_name}, {"owner", h.owner.text()}}},
        {"task", task_of(held.action.task)},
        {"approver", {{"id", approver.id.text()}, {"name", approver.name}}},
        {"rules", std::move(rules)},
        {"policy", held.action.policy},
        {"summary_digest", summary_digest(h).base64url()},
        {"slot", approves && asked.break_glass ? boost::json::value(glass_slot)
                 : approves                    ? boost::json::value(next_slot(h))
                                               : boost::json::value(nullptr)},
        {"grant", asked.grant.empty() ? boost::json::value(nullptr) : boost::json::parse(asked.grant)},
        {"nonce", base64url(asked.random)},
        {"issued_at", format_rfc3339(asked.issued_at)},
        {"expires_at", format_rfc3339(asked.expires_at)},
    };
    if (asked.random.size() != random_part) throw std::invalid_argument("a statement needs 16 random bytes");
    statement["nonce"] = base64url(asked.random + tag_of(jcs(statement), key));
    return jcs(statement);
}

result<issued_statement> read_statement(std::string_view text, std::string_view key)
{
    const failure foreign = fail(problem::bad_assertion, "This is not a statement that was issued here.");
    const auto parsed = json::document::parse(text);
    if (!parsed || !parsed->root().is(json::kind::object)) return foreign;
    const json::value& root = parsed->root();
    const auto text_of = [&](const json::value* of, std::string_view name) -> std::string_view {
        const json::value* found = of ? of->find(name) : nullptr;
        return found ? found->string() : std::string_view{};
    };
    if (text_of(&root, "type") != type_of_statement) return foreign;
    const auto nonce = read_base64url(text_of(&root, "nonce"));
    if (!nonce || nonce->size() != random_part + tag_part) return foreign;
    const std::string original = with_nonce(text, root, base64url(nonce->substr(0, random_part)));
    if (original.empty()) return foreign;
    if (!same_tag(tag_of(original, key), nonce->substr(random_part))) return foreign;

    // From here on the text is our own.
    issued_statement s;
    const auto hold = hold_id::parse(text_of(&root, "hold"));
    const auto approver = person_id::parse(text_of(root.find("approver"), "id"));
    const auto decision = decision_named(text_of(&root, "decision"));
    const auto expires = parse_rfc3339(text_of(&root, "expires_at"));
    if (!hold || !approver || !decision || !expires) return foreign;
    s.hold = *hold;
    s.approver = *approver;
    s.decision = *decision;
    s.expires_at = *expires;
    s.reason = text_of(&root, "reason");
    if (const json::value* grant = root.find("grant"); grant && grant->is(json::kind::object)) s.grant = jcs(*grant);
    if (const json::value* slot = root.find("slot"); slot && slot->is(json::kind::integer)) s.slot = static_cast<int>(slot->integer());
    s.break_glass = text_of(&root, "slot") == glass_slot;
    return s;
}

}  // namespace sallyport::people
