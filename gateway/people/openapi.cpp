// The API's description (OpenAPI 3.1), made from the table that is served, so that no path can be missing from it. The
// shapes are wire.md's.
#include "gateway/people/resources.hpp"
#include "workflows/problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>

namespace sallyport::people {
namespace {

constexpr std::string_view schemas = R"json({
  "Problem": {"type": "object", "required": ["type", "title", "status", "detail", "action", "hold", "reason", "rules", "retry"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
      "action": {"type": ["string", "null"]}, "hold": {"type": ["string", "null"]}, "reason": {"type": ["string", "null"]},
      "rules": {"type": "array", "items": {"type": "object"}}, "retry": {"enum": [true, false, "changed"]}}},
  "Person": {"type": "object", "required": ["id", "handle", "name", "email", "roles", "teams", "status"],
    "properties": {"id": {"type": "string"}, "handle": {"type": "string"}, "name": {"type": "string"}, "email": {"type": "string"},
      "roles": {"type": "array", "items": {"enum": ["approver", "operator", "auditor"]}}, "teams": {"type": "array", "items": {"type": "string"}},
      "status": {"enum": ["active", "disabled"]}}},
  "Agent": {"type": "object", "required": ["id", "name", "class", "owner", "status", "purpose", "scopes", "created_at", "last_seen_at"],
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "class": {"enum": ["personal", "consumer", "workforce", "digital-worker"]},
      "owner": {"type": "string"}, "status": {"enum": ["active", "suspended", "revoked"]}, "purpose": {"type": "string"},
      "scopes": {"type": "array", "items": {"type": "string"}}, "created_at": {"type": "string", "format": "date-time"},
      "last_seen_at": {"type": ["string", "null"], "format": "date-time"}}},
  "Decision": {"type": "object", "required": ["id", "decision", "by", "reason", "assurance", "at"],
    "properties": {"id": {"type": "string"}, "decision": {"enum": ["approve", "deny"]}, "by": {"oneOf": [{"$ref": "#/components/schemas/Person"}, {"type": "null"}]},
      "reason": {"type": ["string", "null"]}, "assurance": {"enum": ["click", "session", "passkey"]}, "at": {"type": "string", "format": "date-time"}}},
  "Workflow": {"type": "object", "required": ["name", "step", "steps", "assurance", "next_step_at"],
    "properties": {"name": {"type": "string"}, "step": {"type": "integer"}, "steps": {"type": "integer"}, "assurance": {"enum": ["click", "session", "passkey"]},
      "next_step_at": {"type": ["string", "null"], "format": "date-time"}}},
  "Hold": {"type": "object",
    "required": ["hold", "action", "status", "reasons", "approvals", "created_at", "expires_at", "decided_at", "reason", "outcome", "agent", "task", "route",
      "policy", "rules", "request", "workflow", "workflows", "decisions", "may_decide", "why_not"],
    "properties": {"hold": {"type": "string"}, "action": {"type": "string"},
      "status": {"enum": ["held", "approved", "releasing", "released", "denied", "expired", "withdrawn", "undeliverable", "void", "unknown"]},
      "reasons": {"type": "array", "items": {"type": "object", "required": ["rule", "summary"], "properties": {"rule": {"type": "string"}, "summary": {"type": "string"}}}},
      "approvals": {"type": "object", "required": ["needed", "given"], "properties": {"needed": {"type": "integer"}, "given": {"type": "integer"}}},
      "created_at": {"type": "string", "format": "date-time"}, "expires_at": {"type": "string", "format": "date-time"},
      "decided_at": {"type": ["string", "null"], "format": "date-time"}, "reason": {"type": ["string", "null"]},
      "outcome": {"type": ["object", "null"], "properties": {"status": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}},
      "agent": {"oneOf": [{"$ref": "#/components/schemas/Agent"}, {"type": "null"}]}, "task": {"type": ["object", "null"]}, "route": {"type": "string"},
      "policy": {"type": "string"}, "rules": {"type": "array", "items": {"type": "object"}},
      "request": {"type": "object", "required": ["method", "authority", "target", "headers", "body"],
        "properties": {"method": {"type": "string"}, "authority": {"type": "string"}, "target": {"type": "string"},
          "headers": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "body": {"type": ["object", "null"]}}},
      "workflow": {"$ref": "#/components/schemas/Workflow"}, "workflows": {"type": "array", "items": {"$ref": "#/components/schemas/Workflow"}},
      "decisions": {"type": "array", "items": {"$ref": "#/components/schemas/Decision"}}, "may_decide": {"type": "boolean"}, "why_not": {"type": ["string", "null"]},
      "body_fields": {"type": "array", "items": {"type": "string"}}, "detail": {"type": ["string", "null"]}}}
})json";

// What each answer holds, and what each request must bring.
constexpr std::string_view shapes = R"json({
  "POST login": {"answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}},
  "POST enrolments/{code}": {"status": "201", "answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}},
  "POST logout": {"status": "204"},
  "GET me": {"answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}},
  "GET holds": {"query": ["status", "agent", "route", "q", "cursor", "limit"],
    "answer": {"type": "object", "required": ["holds", "next"], "properties": {"holds": {"type": "array", "items": {"$ref": "#/components/schemas/Hold"}}, "next": {"type": ["string", "null"]}}}},
  "GET holds/{id}": {"answer": {"type": "object", "required": ["hold"], "properties": {"hold": {"$ref": "#/components/schemas/Hold"}}}},
  "POST holds/{id}/statement": {
    "request": {"type": "object", "required": ["decision"], "additionalProperties": false, "properties": {"decision": {"enum": ["approve", "deny"]}, "reason": {"type": ["string", "null"]}, "grant": {"type": "null"}}},
    "answer": {"type": "object", "required": ["statement", "sha256", "webauthn"], "properties": {"statement": {"type": "string"}, "sha256": {"type": "string"}, "webauthn": {"type": "object"}}}},
  "POST holds/{id}/decisions": {"status": "201",
    "request": {"type": "object", "required": ["statement"], "additionalProperties": false, "properties": {"statement": {"type": "string"}, "assertion": {"type": ["object", "null"]}}},
    "answer": {"type": "object", "required": ["decision", "hold"], "properties": {"decision": {"$ref": "#/components/schemas/Decision"}, "hold": {"$ref": "#/components/schemas/Hold"}}}},
  "DELETE holds/{id}/decisions/{decision}": {"answer": {"type": "object", "required": ["hold"], "properties": {"hold": {"$ref": "#/components/schemas/Hold"}}}},
  "GET agents": {"query": ["cursor", "limit"], "answer": {"type": "object", "required": ["agents", "next"], "properties": {"agents": {"type": "array", "items": {"$ref": "#/components/schemas/Agent"}}, "next": {"type": ["string", "null"]}}}},
  "GET agents/{agent}": {"answer": {"type": "object", "required": ["agent"], "properties": {"agent": {"$ref": "#/components/schemas/Agent"}}}},
  "GET people": {"query": ["cursor", "limit"], "answer": {"type": "object", "required": ["people", "next"], "properties": {"people": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}, "next": {"type": ["string", "null"]}}}},
  "GET people/{person}": {"answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}},
  "GET grants": {"query": ["cursor", "limit"], "answer": {"type": "object", "required": ["grants", "next"], "properties": {"grants": {"type": "array", "items": {"type": "object"}}, "next": {"type": "null"}}}},
  "GET audit": {"query": ["kind", "action", "hold", "agent", "person", "cursor", "limit"],
    "answer": {"type": "object", "required": ["audit", "next"], "properties": {"audit": {"type": "array", "items": {"type": "object"}}, "next": {"type": ["string", "null"]}}}},
  "GET events": {"stream": true}
})json";

boost::json::object parameter_json(std::string_view name, std::string_view in)
{
    return {{"name", name}, {"in", in}, {"required", in == "path"}, {"schema", {{"type", "string"}}}};
}

boost::json::object operation(const resource& r, const boost::json::object& shape)
{
    boost::json::array parameters;
    for (std::string_view left = r.path; !left.empty();) {
        const auto end = std::min(left.find('/'), left.size());
        if (left.front() == '{') parameters.push_back(parameter_json(left.substr(1, end - 2), "path"));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    if (const auto* query = shape.if_contains("query"))
        for (const auto& name : query->as_array()) parameters.push_back(parameter_json(name.as_string(), "query"));

    boost::json::object answered{{"description", r.summary}};
    const auto* answer = shape.if_contains("answer");
    if (shape.contains("stream"))
        answered["content"] = boost::json::object{{"text/event-stream", {{"schema", {{"type", "string"}}}}}};
    else if (!shape.contains("status") || answer)
        answered["content"] =
            boost::json::object{{"application/json", {{"schema", answer ? *answer : boost::json::value{{"type", "object"}}}}}};
    const std::string status(shape.contains("status") ? std::string_view(shape.at("status").as_string()) : std::string_view("200"));

    std::string id(r.method);
    for (const char c : r.path) id += (c >= 'a' && c <= 'z') ? c : '_';
    boost::json::object made{
        {"summary", r.summary},
        {"operationId", id},
        {"parameters", std::move(parameters)},
        {"security", r.needs_session ? boost::json::array{boost::json::object{{"session", boost::json::array{}}}} : boost::json::array{}},
        {"responses",
         {{status, std::move(answered)},
          {"default",
           {{"description", "A problem (RFC 9457)"},
            {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}}}}},
    };
    if (r.method == "POST") {
        const auto* request = shape.if_contains("request");
        made["requestBody"] = boost::json::object{
            {"required", true},
            {"content", {{"application/json", {{"schema", request ? *request : boost::json::value{{"type", "object"}}}}}}}};
    }
    return made;
}

std::string made()
{
    const auto known = boost::json::parse(shapes).as_object();
    boost::json::object paths;
    for (const resource& r : resources()) {
        const std::string key = std::string(r.method) + " " + std::string(r.path);
        std::string method(r.method);
        std::transform(method.begin(), method.end(), method.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
        const std::string path = "/" + std::string(r.path);
        if (!paths.contains(path)) paths[path] = boost::json::object{};
        paths[path].as_object()[method] = operation(r, known.contains(key) ? known.at(key).as_object() : boost::json::object{});
    }
    return boost::json::serialize(boost::json::object{
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "Sallyport: the people's API"}, {"version", "1"}, {"license", {{"name", "See the project"}, {"url", "about:blank"}}}}},
        {"servers", boost::json::array{boost::json::object{{"url", "/api/v1"}}}},
        {"paths", std::move(paths)},
        {"components",
         {{"schemas", boost::json::parse(schemas)},
          {"securitySchemes", {{"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "sallyport_session"}}}}}}},
    });
}

}  // namespace

const std::string& openapi()
{
    static const std::string text = made();
    return text;
}

}  // namespace sallyport::people
