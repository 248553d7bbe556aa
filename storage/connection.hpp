// How a connection to PostgreSQL is opened and set, for the .cpp files of this folder alone.
#pragma once

#include "workflows/secret.hpp"

#include <pqxx/pqxx>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace sallyport::storage {

/// The URI (or keyword string) with the password, time-outs and keep-alives added that it does not set itself.
secret connection_string(std::string_view uri, const secret& password, std::chrono::seconds connect_timeout);

/// Throws pqxx::broken_connection. Never reconnects by itself: the driver would otherwise go on with the next statement
/// of a transaction on a new connection, outside of any transaction.
std::unique_ptr<pqxx::connection> connect(const secret& connection_string);

/// `a-z 0-9 _`, beginning with a letter, at most 63: written into SQL as it is.
bool valid_schema(std::string_view) noexcept;

/// The driver's words, without the line ends at their end.
std::string words_of(const std::exception&);

}  // namespace sallyport::storage
