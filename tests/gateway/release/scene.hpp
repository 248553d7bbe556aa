// A small house for the tests of this folder: a real database, a configuration with one route to an upstream that does
// what the test says, two people and an agent, and a releaser on a core of its own.
#pragma once

#include "gateway/identity/directory_watch.hpp"
#include "gateway/release/clockwork.hpp"
#include "gateway/release/hold_maker.hpp"
#include "gateway/release/releaser.hpp"
#include "tests/storage/people.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sallyport::release::testing {

using namespace std::chrono_literals;

/// Counts whole requests. Refuses connections until it is opened.
class upstream {
public:
    /// What the nth request (from 0) is answered with; empty: the connection ends without a word.
    using script = std::function<std::string(int nth)>;

    explicit upstream(script = [](int) { return response("201 Created", "made"); });
    ~upstream();
    upstream(const upstream&) = delete;
    upstream& operator=(const upstream&) = delete;

    static std::string response(std::string_view status, std::string_view body);
    void open();
    std::uint16_t port() const { return port_; }
    int requests();
    /// The request that came as the nth, when it has come; waits for it.
    std::string request(int nth);

private:
    void accept();
    script script_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

/// Commits that happen and whose answer is lost. The database waits at them for a standby that there is not; whoever ends
/// such a session has it committed, and its client in doubt.
class lost_commits {
public:
    lost_commits();  // before the scene, whose connections begin under it
    ~lost_commits();
    lost_commits(const lost_commits&) = delete;
    lost_commits& operator=(const lost_commits&) = delete;

    /// The commits of moves `from` one status `to` another, from now on.
    void of_moves(storage::fixture&, std::string_view from, std::string_view to);
    /// Waits for one, and loses its answer. Moves after it are answered again.
    void lose_one(storage::fixture&);
};

struct options {
    std::string route;  // more lines of the route, indented by four
    std::string limits = "release_window: 60s";
    std::string workflow = "approvals: 1";
    std::string_view when = "request.method != \"GET\"";
};

class scene : public storage::fixture {
public:
    explicit scene(std::uint16_t upstream_port, const options& = {});
    ~scene();

    /// In place of the configuration that is loaded.
    void configure(std::uint16_t upstream_port, const options&, std::string_view scheme = "http");
    /// The standing reads the directory again.
    void read_directory();

    action some_action(std::string method = "POST", std::string body = R"({"amount":900})");
    held_call call(const action&);
    hold_id hold_it(std::string method = "POST");
    /// Approved by ada.
    hold_id approved(std::string method = "POST");
    hold stored(hold_id);
    storage::stored_hold stored_whole(hold_id);
    /// The hold, when it is in that status; waits for it.
    hold when(hold_id, hold_status);
    /// Waits until that question is answered by `t`.
    void until(const std::string& question);
    /// How many holds were counted as ended so.
    std::string counted(std::string_view status);

    release::releaser& releaser();  // started when it is asked for first
    void stop_releaser(std::chrono::milliseconds = 5s);

    http::core core;
    std::unique_ptr<forward::upstream_pool> pool = std::make_unique<forward::upstream_pool>(core);
    storage::temporary_directory files;
    keyring keys;
    metrics::registry metrics;
    std::optional<identity::standings> standings;
    std::optional<identity::signing_keys> signing;
    std::optional<identity::directory_watch> directory;
    std::optional<hold_maker> maker;
    person ada, grace;
    agent bot;

private:
    std::unique_ptr<release::releaser> releaser_;
    bool stopped_ = false;
};

}  // namespace sallyport::release::testing
