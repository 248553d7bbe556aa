// The configuration as loaded: one immutable snapshot, shared by every core, swapped as a whole. A call takes one
// snapshot first and carries it through, so that no two of its rules see two versions (contract.md, "Configuration").
#pragma once

#include "gateway/canonical/target.hpp"
#include "gateway/policy/policy.hpp"
#include "workflows/arrangements.hpp"
#include "workflows/time.hpp"
#include "workflows/workflow.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::config {

/// Where a secret is to be read from; never the secret itself.
struct secret_source {
    enum class kind { env, file } kind = kind::env;
    std::string env;
    std::filesystem::path file;
    friend bool operator==(const secret_source&, const secret_source&) = default;
};

struct listen_address {
    std::string host;  // a literal address or a name
    std::uint16_t port = 0;
    std::string text() const;  // `127.0.0.1:8080`, `[::1]:8080`
};

struct tls_files {
    std::filesystem::path certificate;  // PEM chain
    std::filesystem::path key;
};

struct upstream {
    bool tls = false;
    std::string host;  // without brackets
    std::uint16_t port = 80;
    std::string authority;  // as sent in Host: with the port where it is not the scheme's own
    std::string base;       // path put before the rest, without a final slash; empty for none
    friend bool operator==(const upstream&, const upstream&) = default;
};
inline std::string_view scheme_of(const upstream& u) noexcept { return u.tls ? "https" : "http"; }

struct route {
    std::string id;
    std::string prefix;  // `/payments`, no final slash (but `/` alone: every path); empty when the route is a host's
    std::string host;    // lower case; empty when the route is a prefix's
    config::upstream upstream;
    std::filesystem::path ca;  // empty: the system's
    std::string credential;    // empty: none
    duration wait_default = std::chrono::seconds(25);
    duration wait_max = std::chrono::seconds(55);
    duration timeout = std::chrono::seconds(30);  // to the answer's head, then between two reads
    std::uint64_t body_limit = 1 << 20;           // bytes
    bool idempotent = false;
    bool keep_encoded_slash = false;    // `encoded_slash: keep`
    bool keep_path_parameters = false;  // `path_parameters: keep`
    std::map<std::string, std::string> labels;
    std::size_t index = 0;  // its place in `routes`, which is also its place in policy::rule_set
};

struct limits {
    duration statement = std::chrono::minutes(5);
    duration session = std::chrono::hours(12);
    duration enrolment = std::chrono::hours(24);
    duration access_token = std::chrono::minutes(15);  // at most 15 min
    duration keep_response = std::chrono::hours(24);
    duration release_window = std::chrono::seconds(60);
    std::uint64_t response_bytes = 16 << 20;
    std::uint64_t header_bytes = 64 << 10;
    std::uint64_t connections = 20'000;  // open at once, over all listeners of agents
    std::uint64_t holds = 100'000;       // open at once
    std::uint64_t holds_per_agent = 1'000;
    std::uint64_t asks_per_hour = 0;  // of one person, before steps go past them; 0: no cap
};

struct slack_notifier {
    secret_source bot_token;
    std::optional<secret_source> signing_secret;     // for /slack/interactivity
    std::optional<secret_source> app_token;          // for Socket Mode
    std::string api_url = "https://slack.com/api/";  // with its final slash
};

struct email_notifier {
    enum class starttls { required, opportunistic, never };
    bool tls = false;  // smtps: TLS from the first byte, and `starttls` does not matter
    std::string host;  // without brackets
    std::uint16_t port = 587;
    std::string from;  // an address, or `Name <address>`
    std::string user;  // empty: no authentication
    std::optional<secret_source> password;
    email_notifier::starttls security = starttls::required;
    std::filesystem::path ca;  // empty: the system's
};

struct webhook_notifier {
    std::string id;
    std::string url;
    secret_source secret;  // signs what is posted
};

/// The channels besides the inbox. `via` names them: `slack`, `email`, or a webhook's id.
struct notifiers {
    std::optional<slack_notifier> slack;
    std::optional<email_notifier> email;
    std::vector<webhook_notifier> webhooks;
};

/// People sign in by this provider too, beside their passkeys (OpenID Connect Core 1.0).
struct oidc_sign_in {
    std::string issuer;  // exactly as the provider names itself
    std::string name;    // the issuer's host, and its port where it is not the scheme's own: what people know it by
    std::string client_id;
    std::optional<secret_source> client_secret;  // none: a public client
    std::vector<std::string> scopes{"openid", "email", "profile"};
    std::string groups_claim = "groups";
    std::map<std::string, std::string, std::less<>> groups;  // the provider's group → team; empty: teams are left alone
    std::filesystem::path ca;                                // empty: the system's
    friend bool operator==(const oidc_sign_in&, const oidc_sign_in&) = default;
};

/// Where a call goes, found in one walk over its path's segments without allocation: hostile paths of thousands of
/// segments cost no more than the longest prefix that is configured. Built once; holds places in `routes`.
class route_table {
public:
    route_table() = default;
    explicit route_table(const std::vector<route>&);

    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t named(std::string_view id) const noexcept;
    /// Longest prefix of whole segments; `length` is how much of the path it takes.
    std::size_t by_path(std::string_view path, std::size_t& length) const noexcept;
    /// `host` may have a port, and any case.
    std::size_t by_host(std::string_view host) const noexcept;

private:
    using names = std::vector<std::pair<std::string, std::size_t>>;  // sorted
    struct node {
        names children;  // segment → place in nodes_
        std::size_t route = none;
    };
    static std::size_t find(const names&, std::string_view) noexcept;
    std::vector<node> nodes_;  // the first is the root
    names ids_;
    names hosts_;
};

/// What belongs to the process: taken once, at the start.
struct process_settings {
    listen_address agents{"127.0.0.1", 8080};
    listen_address people{"127.0.0.1", 8081};
    listen_address metrics{"127.0.0.1", 9464};
    std::string public_url;   // no final slash; default http://localhost:PORT of `people`
    std::string public_host;  // its host alone: the WebAuthn relying party's id
    std::string agents_url;   // the OAuth issuer; no final slash
    std::string database;     // empty: the private PostgreSQL
    std::optional<secret_source> database_password;
    std::optional<tls_files> agents_tls, people_tls;

    /// Gives the URLs that are not set (empty) what follows from the addresses.
    void settle_urls();
    /// The ports that the system chose where 0 was asked for: URLs that followed from the 0 follow from them.
    void bound(std::uint16_t agents_port, std::uint16_t people_port, std::uint16_t metrics_port);
};

struct configuration : process_settings {
    std::vector<route> routes;
    policy::rule_set rules;
    std::map<std::string, workflow, std::less<>> workflows;
    sallyport::arrangements arranged;  // `schedules`, and the expressions of targets
    config::notifiers notifiers;
    std::optional<oidc_sign_in> oidc;  // `sign_in.oidc`
    config::limits limits;
    /// SHA-256 in hex of what `routes`, `policies`, `workflows`, `schedules` and `limits` say: `policy` in verdicts.
    std::string digest;

    /// What at least one route keeps of a path: what none keeps is refused before the route is known.
    target_options kept_by_some_route() const noexcept;
    const route* find_route(std::string_view id) const noexcept;
    /// The longest prefix of whole segments wins; `host` routes are asked when no prefix matches. `rest` is what
    /// follows the prefix, empty or beginning with `/`.
    struct match {
        const config::route* route = nullptr;
        std::string_view rest;
    };
    match match_route(std::string_view host, std::string_view path) const noexcept;
    /// Must follow every change of `routes` before the two above are asked; load() has done it.
    void index_routes();

    route_table table;
};

/// Which of the keys that only a restart can change differ: `listen`, `public_url`, `agents_url`, `database`, `tls`.
std::vector<std::string_view> restart_needed(const process_settings& running, const process_settings& loaded);

using snapshot = std::shared_ptr<const configuration>;

}  // namespace sallyport::config
