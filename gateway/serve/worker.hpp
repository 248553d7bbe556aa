// One core's share of the gateway: everything that serving a call on it needs, touched on its thread only.
#pragma once

#include "gateway/audit/journal.hpp"
#include "gateway/canonical/headers.hpp"
#include "gateway/forward/pool.hpp"
#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/identity/standing.hpp"
#include "gateway/identity/token_cache.hpp"
#include "gateway/metrics/metrics.hpp"
#include "workflows/hold.hpp"
#include "workflows/ids.hpp"

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport::serve {

/// Memory of one call, used again by the next: texts that must stay where they are while the connection's buffer moves.
struct call_memory {
    header_list headers;
    std::string scratch;  // of the target
    std::string method, request_target, request_host, host, path, query, target, record, rules;

    void clear() noexcept
    {
        headers.clear();
        for (std::string* s : {&scratch, &method, &request_target, &request_host, &host, &path, &query, &target, &record, &rules})
            s->clear();
    }
};

struct route_counters {
    std::array<metrics::counter*, 3> by_verdict{};  // in the order of verdict_kind; the registry's, for ever
    void count(verdict_kind kind) const noexcept { by_verdict[static_cast<std::size_t>(kind)]->add(); }
};

class worker {
public:
    worker(std::size_t index, metrics::registry&, const std::filesystem::path& journal_directory);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    std::size_t index() const noexcept { return index_; }
    http::core& core() noexcept { return core_; }
    forward::upstream_pool& upstreams() noexcept { return upstreams_; }
    identity::token_cache& tokens() noexcept { return tokens_; }
    audit::journal& journal() noexcept { return journal_; }

    /// What calls are judged by; never null. A call takes it first and keeps it.
    const identity::standing_ptr& standing() const noexcept { return standing_; }
    /// On this core, or before it runs.
    void adopt(const identity::standing_ptr&);

    /// Of a route of the standing that holds now; good for ever, also after another configuration was adopted.
    const route_counters& counters(const config::route& route) const noexcept { return routes_[route.index]; }

    /// A call_memory that goes back by itself.
    struct give_back {
        worker* owner;
        void operator()(call_memory*) const noexcept;
    };
    using borrowed_memory = std::unique_ptr<call_memory, give_back>;
    borrowed_memory borrow();

    // --- who waits for holds ------------------------------------------------------------------------------------------

    /// A place in the list of those who are told of a hold's changes; leaves it at the end of its scope.
    class waiting {
    public:
        waiting(worker&, hold_id, http::signal&);
        ~waiting();
        waiting(const waiting&) = delete;
        waiting& operator=(const waiting&) = delete;

    private:
        worker& at_;
        std::unordered_multimap<hold_id, http::signal*>::iterator place_;
    };
    void wake_waiting(hold_id) noexcept;
    void wake_all_waiting() noexcept;
    std::size_t waiting_calls() const noexcept { return waiting_.size(); }

    // --- who was seen ----------------------------------------------------------------------------------------------------

    void seen(agent_id who, time_point when) { seen_[who] = when; }
    std::unordered_map<agent_id, time_point> take_seen() { return std::exchange(seen_, {}); }

private:
    const std::size_t index_;
    metrics::registry& registry_;
    http::core core_;
    forward::upstream_pool upstreams_;
    identity::token_cache tokens_;
    audit::journal journal_;
    identity::standing_ptr standing_;
    std::vector<route_counters> routes_;
    std::vector<std::unique_ptr<call_memory>> memories_;
    std::unordered_multimap<hold_id, http::signal*> waiting_;
    std::unordered_map<agent_id, time_point> seen_;
};

}  // namespace sallyport::serve
