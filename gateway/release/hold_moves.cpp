#include "gateway/release/hold_moves.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/release/asking.hpp"
#include "gateway/release/grants.hpp"
#include "gateway/release/telling.hpp"
#include "storage/agent_store.hpp"
#include "storage/directory_store.hpp"
#include "workflows/directory.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace sallyport::release {
namespace {

// Whom this move passed over.
boost::json::array passed_json(const hold& before, const hold& after)
{
    boost::json::array all;
    for (std::size_t i = 0; i < after.demands.size(); ++i)
        for (const passed_over& p : after.demands[i].passed) {
            const auto& known = before.demands[i].passed;
            if (std::find(known.begin(), known.end(), p) == known.end())
                all.push_back(boost::json::object{{"person", p.who.text()}, {"asked", p.asked}, {"step", p.step + 1}});
        }
    return all;
}

}  // namespace

std::vector<storage::audit_entry> entries_of_move(const hold& before, const hold& after, time_point now)
{
    storage::audit_entry entry;
    entry.at = now;
    entry.action = after.action;
    entry.hold = after.id;
    entry.agent = after.agent;

    boost::json::object data{{"status", name_of(after.status)}};
    if (!after.detail.empty()) data["detail"] = after.detail;
    if (before.status == after.status) {
        if (before.demands.size() != after.demands.size()) return {};
        boost::json::array steps;
        bool stepped = false;
        for (std::size_t i = 0; i < after.demands.size(); ++i) {
            stepped = stepped || before.demands[i].step != after.demands[i].step;
            steps.push_back(boost::json::object{{"workflow", after.demands[i].asks.name}, {"step", after.demands[i].step + 1}});
        }
        if (!stepped) return {};
        if (auto passed = passed_json(before, after); !passed.empty()) data["passed_over"] = std::move(passed);
        entry.kind = "hold";
        data["steps"] = std::move(steps);
    } else if (after.status == hold_status::releasing) {
        entry.kind = "release";
        data["attempt"] = after.attempts + 1;
    } else if (before.status == hold_status::releasing || after.status == hold_status::unknown) {
        entry.kind = "outcome";
        data["upstream"] = after.outcome ? boost::json::value(after.outcome->status) : boost::json::value(nullptr);
    } else {
        entry.kind = "hold";
    }
    entry.data = jcs(data);
    return {std::move(entry)};
}

result<move_result> apply(storage::transaction& tx, storage::stored_hold read, const event& what, const directory& all,
                          const storage::hold_store::advance_options& options, const recent_asks& asks)
{
    auto stepped = step(read.hold, what, all, read.now, asks);
    if (const auto* no = std::get_if<refused>(&stepped)) return fail(no->what, no->detail);
    if (std::holds_alternative<unchanged>(stepped)) return move_result{std::move(read), false, {}};

    auto& to = std::get<moved>(stepped);
    auto with = options;
    // Nothing could be sent: not before its wake-up.
    if (read.hold.status == hold_status::releasing && to.next.status == hold_status::approved) with.retry_at = to.next.wake_at;
    if (storage::hold_store::advance(tx, read.hold, to.next, with) == storage::race::lost)
        return fail(problem::conflict, "The hold was changed at the same moment.");
    storage::audit_store::append(tx, entries_of_move(read.hold, to.next, read.now));
    tell(tx, read.hold, to.next, to.effects);
    record_asks(tx, to.effects);
    read.hold = std::move(to.next);
    return move_result{std::move(read), true, std::move(to.effects)};
}

result<move_result> apply(storage::transaction& tx, hold_id id, const event& what, const directory& all)
{
    auto read = storage::hold_store::get_for_update(tx, id);
    if (!read) return fail(problem::no_hold);
    return apply(tx, std::move(*read), what, all);
}

std::vector<hold> void_all_of(storage::transaction& tx, agent_id agent, const std::string& why, const directory& all)
{
    end_grants_of(tx, agent, why);
    constexpr std::size_t at_once = 100;
    std::optional<hold_id> after;
    std::vector<hold> ended;
    for (;;) {
        const auto open = storage::hold_store::open_of_agent(tx, agent, at_once, after);
        for (const auto& row : open) {
            after = row.hold.id;
            // A failure here is a hold that somebody else has just closed.
            auto done = apply(tx, row.hold.id, happened::voided{why}, all);
            if (done && done->moved) ended.push_back(std::move(done->hold.hold));
        }
        if (open.size() < at_once) return ended;
    }
}

std::vector<hold> void_orphans(storage::transaction& tx)
{
    auto all = storage::directory_store::load(tx);
    const directory now(all.generation, std::move(all.people), {}, std::move(all.agents));
    std::vector<agent_id> orphans;
    for (const agent& a : now.agents())
        if (!now.has_active_owner(a)) orphans.push_back(a.id);
    storage::agent_store::lock(tx, orphans);
    std::vector<hold> ended;
    for (const agent_id id : orphans)
        for (hold& h : void_all_of(tx, id, "the agent has no active owner", now)) ended.push_back(std::move(h));
    return ended;
}

}  // namespace sallyport::release
