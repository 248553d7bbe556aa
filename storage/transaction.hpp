// One transaction on a database thread, as the stores see it. It begins before the function given to `database::run`
// and is committed when that function gives a value, rolled back when it gives a failure or throws.
//
// Thread: the database thread that runs the function, and only while it runs. Not kept beyond it.
#pragma once

#include "workflows/time.hpp"

#include <string_view>

namespace sallyport::storage {

struct transaction_state;  // storage/sql.hpp: the driver's side

/// Told on every hold that was made or moved; the words are hold ids.
inline constexpr std::string_view hold_channel = "sallyport_hold";
/// Told on every change of agents, people, teams or credentials.
inline constexpr std::string_view directory_channel = "sallyport_directory";

/// What a conditional write says of the race it was in: no row is an answer, not an error.
enum class race { won, lost };

class transaction {
public:
    explicit transaction(transaction_state& state) noexcept : state_(state) {}
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;

    /// The database's clock as it was read last in this transaction. Methods that read holds read it with the rows,
    /// after their locks; when nothing has read it yet, this asks the database.
    time_point now();

    /// `word` (no spaces, at most 200 bytes) goes to the listeners of `channel` when this commits. Words are
    /// gathered and sent together, each once: see listener.hpp.
    void notify(std::string_view channel, std::string_view word);

    /// For the .cpp files of this folder.
    transaction_state& state() noexcept { return state_; }

private:
    transaction_state& state_;
};

}  // namespace sallyport::storage
