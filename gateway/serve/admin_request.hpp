// A request to the administrator's API, taken apart: its path's segments, its query, the members of its body.
#pragma once

#include "gateway/canonical/json.hpp"
#include "gateway/serve/services.hpp"
#include "storage/audit_store.hpp"
#include "workflows/result.hpp"

#include <boost/json/object.hpp>

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::serve {

struct admin_request {
    std::string method;
    std::vector<std::string> path;  // decoded segments
    std::map<std::string, std::string, std::less<>> query;
    std::optional<json::document> body;

    /// A text of the body; empty when it is absent.
    std::string text(std::string_view name) const;
    bool flag(std::string_view name) const;
    std::vector<std::string> texts(std::string_view name) const;
    /// `invalid_input` for a body with other members than these.
    result<void> only(std::initializer_list<std::string_view> names) const;
    bool is(std::string_view verb, std::initializer_list<std::string_view> segments) const;  // `*` stands for any one
};

using admin_answer = result<boost::json::object>;

/// `admin` entry of the record, at the database's time.
storage::audit_entry admin_entry(storage::transaction&, std::string_view act, boost::json::object data);

// Each resource says no with none when the request is not for it.
std::optional<admin_answer> admin_agents(services&, const admin_request&);
std::optional<admin_answer> admin_people(services&, const admin_request&);
std::optional<admin_answer> admin_credentials(services&, const admin_request&);
std::optional<admin_answer> admin_holds(services&, const admin_request&);
std::optional<admin_answer> admin_grants(services&, const admin_request&);
std::optional<admin_answer> admin_audit(services&, const admin_request&);

}  // namespace sallyport::serve
