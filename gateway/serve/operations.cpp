#include "gateway/serve/operations.hpp"

#include "gateway/serve/answers.hpp"
#include "storage/hold_store.hpp"
#include "storage/outbox_store.hpp"

#include <array>
#include <string>
#include <vector>

namespace sallyport::serve {
namespace {

struct counts {
    std::map<hold_status, std::int64_t> holds;
    std::int64_t outbox = 0;
};

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
    co_await answer_text(x, missing.empty() ? 200 : 503, missing.empty() ? std::string_view("ready\n") : std::string_view(missing));
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
            for (const auto& [channel, of] : storage::outbox_store::counts(tx)) all.outbox += of.pending;
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
            metrics::write_gauge(text, "sallyport_outbox_pending", "Messages that wait to be delivered.",
                                 {{{}, static_cast<double>(counted->outbox)}});
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
