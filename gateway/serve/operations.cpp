#include "gateway/serve/operations.hpp"

#include "gateway/config/channel_names.hpp"
#include "gateway/serve/answers.hpp"
#include "storage/hold_store.hpp"
#include "storage/outbox_store.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::serve {
namespace {

struct counts {
    std::map<hold_status, std::int64_t> holds;
    std::map<std::string, storage::outbox_store::channel_counts> channels;
    time_point now;
};

// Whom the inbox, or a channel besides it, can ask for a decision: without a passkey or an account nobody gets in.
bool somebody_decides(const directory& people, bool by_account)
{
    const auto able = [by_account](const person& p) {
        return p.status == person_status::active && p.has(role::approver) && (p.has_passkey || (by_account && p.has_account));
    };
    return std::any_of(people.people().begin(), people.people().end(), able);
}

void write_channels(std::string& text, const counts& all, const std::set<std::string>& names)
{
    std::int64_t pending = 0;
    std::vector<metrics::gauge_value> up, waiting, dead, oldest;
    const auto age = [&](const std::optional<time_point>& since) {
        return since ? std::chrono::duration<double>(std::max(all.now - *since, duration(0))).count() : 0.0;
    };
    std::map<std::string, storage::outbox_store::channel_counts> shown;
    for (const std::string& name : names) shown[name];  // also those that were never used
    for (const auto& [name, of] : all.channels) {
        pending += of.pending;
        if (names.contains(name) || of.pending > 0 || of.dead > 0) shown[name] = of;
    }
    for (const auto& [name, of] : shown) {
        up.push_back({{{"channel", name}}, of.failing_since ? 0.0 : 1.0});
        waiting.push_back({{{"channel", name}}, static_cast<double>(of.pending)});
        dead.push_back({{{"channel", name}}, static_cast<double>(of.dead)});
        oldest.push_back({{{"channel", name}}, age(of.oldest)});
    }
    metrics::write_gauge(text, "sallyport_outbox_pending", "Messages that wait to be delivered.", {{{}, static_cast<double>(pending)}});
    metrics::write_gauge(text, "sallyport_channel_up",
                         "Whether the last message of the channel could be delivered; 1 also before the first.", up);
    metrics::write_gauge(text, "sallyport_channel_pending", "Messages that wait for the channel.", waiting);
    metrics::write_gauge(text, "sallyport_channel_dead", "Messages that were given up.", dead);
    metrics::write_gauge(text, "sallyport_channel_oldest_seconds", "Since when the oldest of those that wait does; 0: none waits.", oldest);
}

http::awaitable<void> answer_text(http::exchange& x, int status, std::string_view text)
{
    const std::array<field, 2> headers{{{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}}};
    co_await x.respond(status, headers, text);
}

}  // namespace

http::awaitable<void> operations::serve(http::exchange& x)
{
    const std::string path(x.head().target.substr(0, x.head().target.find('?')));
    if (x.head().method != "GET" && x.head().method != "HEAD") {
        co_await answer_problem(x, fail(problem::method_not_allowed));
    } else if (path == "/healthz") {
        co_await answer_text(x, 200, "alive\n");
    } else if (path == "/readyz") {
        co_await readiness(x);
    } else if (path == "/metrics") {
        co_await measurements(x);
    } else {
        co_await answer_problem(x, fail(problem::not_found));
    }
}

http::awaitable<void> operations::readiness(http::exchange& x)
{
    std::string missing;
    if (!started.load(std::memory_order_acquire))
        missing = "starting\n";
    else if (stopping)
        missing = "stopping\n";
    else if (!db->available())
        missing = "database: not reachable\n";
    else
        missing = co_await unreachable(x);
    co_await answer_text(x, missing.empty() ? 200 : 503, missing.empty() ? std::string_view("ready\n") : std::string_view(missing));
}

// Nobody is invited yet, or nobody has come: nothing is wrong, and what would be held is `undeliverable` at once. But with holds
// that wait and nobody left who could get in, each of them will expire, and no page says so to anybody.
http::awaitable<std::string> operations::unreachable(http::exchange& x)
{
    const auto standing = standings.current();
    if (somebody_decides(*standing->directory, standing->config->oidc.has_value())) co_return std::string();
    auto work = [](storage::transaction& tx) { return storage::hold_store::open_counts(tx); };
    const auto counted = co_await db->run(x.core().get_executor(), std::move(work));
    if (!counted) co_return std::string("database: not reachable\n");
    const auto held = counted->find(hold_status::held);
    if (held == counted->end() || held->second == 0) co_return std::string();
    co_return "people: holds wait, and nobody who may approve can be reached\n";
}

http::awaitable<void> operations::measurements(http::exchange& x)
{
    std::string text = metrics.text();
    metrics::write_gauge(text, "sallyport_policy_info", "The policy that is loaded.",
                         {{{{"digest", standings.current()->config->digest}}, 1}});
    if (started.load(std::memory_order_acquire)) {
        auto work = [](storage::transaction& tx) {
            counts all;
            all.holds = storage::hold_store::open_counts(tx);
            all.channels = storage::outbox_store::counts(tx);
            all.now = tx.now();
            return all;
        };
        const auto counted = co_await db->run(x.core().get_executor(), std::move(work));
        // While the database is away these are not known; a gauge that says 0 would be a lie.
        if (counted) {
            std::vector<metrics::gauge_value> holds;
            for (const auto status : {hold_status::held, hold_status::approved, hold_status::releasing}) {
                const auto found = counted->holds.find(status);
                holds.push_back({{{"status", name_of(status)}}, found == counted->holds.end() ? 0.0 : static_cast<double>(found->second)});
            }
            metrics::write_gauge(text, "sallyport_holds", "Holds that are open.", holds);
            write_channels(text, *counted, config::channel_names(*standings.current()->config));
        }
        metrics::write_gauge(text, "sallyport_audit_size", "Entries in the audit log.", {{{}, static_cast<double>(recorder->log_size())}});
        metrics::write_gauge(text, "sallyport_audit_checkpoint_size", "Entries in the audit log that its signed checkpoint covers.",
                             {{{}, static_cast<double>(recorder->tree_size())}});
        metrics::write_gauge(text, "sallyport_journal_pending_bytes",
                             "What the journals of this process hold that is not in the audit log yet.",
                             {{{}, static_cast<double>(recorder->pending_bytes())}});
        metrics::write_gauge(text, "sallyport_database_available", "Whether the database can be reached.",
                             {{{}, db->available() ? 1.0 : 0.0}});
    }
    const std::array<field, 1> headers{{{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}};
    co_await x.respond(200, headers, text);
}

}  // namespace sallyport::serve
