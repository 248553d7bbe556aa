// A configuration directory of a test: made empty, removed with all that is in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::config::testing {

class directory {
public:
    directory()
    {
        std::string form = (std::filesystem::temp_directory_path() / "sallyport-config-XXXXXX").string();
        if (!::mkdtemp(form.data())) throw std::runtime_error("mkdtemp");
        path_ = form;
    }
    directory(std::initializer_list<std::pair<std::string_view, std::string_view>> files) : directory()
    {
        for (const auto& [name, text] : files) write(name, text);
    }
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    ~directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const noexcept { return path_; }
    void write(std::string_view name, std::string_view text) const
    {
        std::ofstream out(path_ / name, std::ios::binary | std::ios::trunc);
        out << text;
        if (!out.flush()) throw std::runtime_error("cannot write");
    }

private:
    std::filesystem::path path_;
};

/// A configuration without mistakes, and without warnings, that names every kind of thing.
inline constexpr std::string_view good = R"(# what a small house needs
listen: { agents: 127.0.0.1:18080, people: "[::1]:18081", metrics: localhost:0 }
public_url: https://Gate.Example:443/
agents_url: http://127.0.0.1:18080
database: postgresql://gate@db.example:5433/sallyport?sslmode=verify-full
routes:
  - id: payments
    prefix: /payments
    upstream: https://api.payments.example:8443/base/
    credential: payments-key
    wait: { default: 10s, max: 50s }
    timeout: 20s
    body_limit: 64KiB
    idempotent: true
    labels: { data: financial, pci: true }
  - id: crm
    host: CRM.internal.example
    upstream: http://[::1]:9000
    encoded_slash: keep
    path_parameters: keep
policies:
  - id: reads-pass
    route: "*"
    when: request.method in ["GET", "HEAD"]
    verdict: allow
  - id: refunds-over-500
    team: finance
    route: [payments]
    when: request.method == "POST" && request.path == "/v1/refunds" && body.amount > 500
    verdict: hold
    on_error: deny
    workflow: finance
    summary: "Refund {body.amount} {body.currency}"
  - id: watched
    route: crm
    mode: shadow
    when: request.path == "/x"
    verdict: deny
workflows:
  finance:
    approvals: 2
    assurance: session
    not: [owner]
    steps:
      - { notify: [owner, "team:finance"], via: [slack, email], for: 10m }
      - { notify: ["schedule:finance-on-call", "person:ada"], via: ops, for: 20m }
    otherwise: deny
schedules:
  finance-on-call:
    time_zone: Europe/Berlin
    rotation: { people: [ada, grace], every: 7d, from: 2026-01-05T09:00 }
    overrides: [ { person: alan, from: 2026-02-01T00:00, until: 2026-02-03T00:00:30 } ]
notifiers:
  slack: { bot_token: { env: SLACK_BOT_TOKEN }, signing_secret: { env: SLACK_SIGNING }, app_token: { env: SLACK_APP_TOKEN }, api_url: http://127.0.0.1:9/api }
  email: { url: smtp://mail.example:2525, from: "Sallyport <gate@example.com>", user: gate, password: { env: SMTP_PASSWORD }, starttls: required }
  webhooks: [ { id: ops, url: "https://hooks.example/ops/", secret: { env: OPS_SECRET } } ]
sign_in:
  oidc: { issuer: "https://Id.example:8443/realms/a/", client_id: gate, client_secret: { env: OIDC_SECRET }, scopes: [openid, email, groups],
          groups_claim: roles, groups: { "Finance / Approvers": finance, /ops: platform } }
limits: { statement: 4m, session: 10h, enrolment: 20h, access_token: 10m, keep_response: 12h, release_window: 30s,
          response_bytes: 8MiB, header_bytes: 32KiB, connections: 100, holds: 200, holds_per_agent: 20 }
)";

}  // namespace sallyport::config::testing
