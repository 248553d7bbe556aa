#include "gateway/release/hold_maker.hpp"

#include "gateway/canonical/alike.hpp"
#include "gateway/canonical/jcs.hpp"
#include "gateway/release/asking.hpp"
#include "gateway/release/grants.hpp"
#include "gateway/release/telling.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <iterator>

namespace sallyport::release {
namespace {

std::vector<storage::audit_entry> entries_of(const storage::action_record& record, const hold& h, const std::optional<used_grant>& grant)
{
    storage::audit_entry verdict;
    verdict.at = h.created_at;
    verdict.kind = "verdict";
    verdict.action = h.action;
    verdict.hold = h.id;
    verdict.agent = h.agent;
    verdict.data = jcs(boost::json::object{
        {"verdict", "hold"},
        {"route", record.route},
        {"rules", boost::json::parse(record.rules)},
        {"policy", record.policy},
        {"method", record.method},
        {"authority", record.authority},
        {"target", record.target},
        {"content_digest", record.content_digest.empty() ? boost::json::value(nullptr) : boost::json::value(record.content_digest)},
        {"digest", record.digest},
    });

    storage::audit_entry held = verdict;
    held.kind = "hold";
    // What decisions and the release are checked against (audit/verify.cpp).
    boost::json::array demands;
    for (const demand& d : h.demands) {
        boost::json::array excluded, glass;
        for (const target& t : d.asks.not_) excluded.emplace_back(t.text());
        for (const target& t : d.asks.break_glass) glass.emplace_back(t.text());
        boost::json::object one{{"workflow", d.asks.name},
                                {"approvals", d.asks.approvals},
                                {"assurance", name_of(d.asks.assurance)},
                                {"not", std::move(excluded)}};
        boost::json::array passed;
        for (const passed_over& p : d.passed)
            passed.push_back(boost::json::object{{"person", p.who.text()}, {"asked", p.asked}, {"step", p.step + 1}});
        if (!passed.empty()) one["passed_over"] = std::move(passed);
        boost::json::array places;
        for (const place& p : d.asks.places) places.push_back(boost::json::object{{"of", p.of.text()}, {"approvals", p.approvals}});
        if (!places.empty()) one["places"] = std::move(places);
        if (!glass.empty()) one["break_glass"] = std::move(glass);
        demands.push_back(std::move(one));
    }
    boost::json::object data{{"status", name_of(h.status)},
                             {"owner", h.owner.text()},
                             {"demands", std::move(demands)},
                             {"expires_at", format_rfc3339(h.expires_at)}};
    if (!h.detail.empty()) data["detail"] = h.detail;
    if (grant) data["grant"] = boost::json::object{{"id", grant->id.text()}, {"used", grant->used}, {"amount", grant->amount}};
    held.data = jcs(data);
    std::vector<storage::audit_entry> all{std::move(verdict), std::move(held)};
    if (grant && grant->exhausted) {
        storage::audit_entry& last = all.emplace_back();
        last.at = h.created_at;
        last.kind = "admin";
        last.hold = grant->source;
        last.agent = h.agent;
        last.data = jcs(boost::json::object{{"act", "grant.exhausted"}, {"grant", grant->id.text()}});
    }
    return all;
}

}  // namespace

hold_maker::hold_maker(storage::database& db, const identity::standings& all, keyring keys)
    : standings_(all),
      keys_(std::move(keys)),
      commits_(db, [this](storage::transaction& tx, std::span<const held_call> calls) { return write(tx, calls); })
{
}

storage::core_awaitable<result<made_hold>> hold_maker::make(storage::core_executor where, held_call call)
{
    return commits_.submit(std::move(where), std::move(call));
}

result<std::vector<result<made_hold>>> hold_maker::write(storage::transaction& tx, std::span<const held_call> calls) const
{
    const auto standing = standings_.current();
    const time_point now = tx.now();
    std::vector<storage::new_hold> rows;
    std::vector<result<made_hold>> answers;
    std::vector<std::size_t> places;  // of each row's answer and grant
    std::vector<std::vector<effect>> effects;
    const auto grants = use_grants(tx, keys_, *standing, calls, now);
    recent_asks asks = read_recent_asks(tx, standing->config->limits);
    rows.reserve(calls.size());
    answers.reserve(calls.size());
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const held_call& call = calls[i];
        const agent* who = standing->directory->find(call.record.agent);
        if (!who || who->status != agent_status::active || !standing->directory->has_active_owner(*who)) {
            if (grants[i]) unuse(tx, *grants[i]);
            answers.emplace_back(fail(problem::agent_suspended));
            continue;
        }
        hold fresh = make_hold(call.id, call.record.id, *who, call.record.route, call.reasons, call.workflows, now);
        storage::hold_store::read_last_approvals(tx, fresh);
        fresh.alike = alike_digest(call.record.agent, call.record.route, call.record.method, call.record.target, call.reasons);
        event first = happened::opened{};
        if (grants[i]) first = happened::granted{grants[i]->id, standing->config->limits.release_window};
        auto opened = step(fresh, first, *standing->directory, now, asks);
        storage::new_hold row;
        row.action = call.record;
        row.action.created_at = now;
        auto* const begun = std::get_if<moved>(&opened);
        row.hold = begun ? std::move(begun->next) : std::move(fresh);
        row.record = entries_of(row.action, row.hold, grants[i]);
        if (begun) {
            row.tell = messages_of(row.hold, begun->effects);
            // Nobody is asked by what nobody can decide.
            if (closed(row.hold.status)) begun->effects.clear();
            count_asks(asks, begun->effects);
        }
        effects.push_back(begun ? std::move(begun->effects) : std::vector<effect>());
        rows.push_back(std::move(row));
        places.push_back(answers.size());
        answers.emplace_back(made_hold{});
    }

    const storage::open_limits limits{static_cast<std::int64_t>(standing->config->limits.holds),
                                      static_cast<std::int64_t>(standing->config->limits.holds_per_agent)};
    const auto created = storage::hold_store::create(tx, rows, limits);
    std::vector<effect> done;
    for (std::size_t i = 0; i < created.size(); ++i) {
        const bool fresh = created[i].what == storage::created::kind::created;
        answers[places[i]] = made_hold{created[i], rows[i].hold.status, fresh ? people_passed_over(effects[i]) : 0};
        if (fresh) done.insert(done.end(), std::move_iterator(effects[i].begin()), std::move_iterator(effects[i].end()));
        // Before anybody could see that it was used.
        if (!fresh && grants[places[i]]) unuse(tx, *grants[places[i]]);
    }
    record_asks(tx, done);
    return answers;
}

}  // namespace sallyport::release
