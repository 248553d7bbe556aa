// The API's description (OpenAPI 3.1), made from the table that is served, so that no path can be missing from it. The
// shapes are wire.md's.
#include "gateway/people/resources.hpp"
#include "workflows/problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::people {
namespace {

constexpr std::string_view schemas = R"json({
  "Problem": {"type": "object", "required": ["type", "title", "status", "detail", "action", "hold", "reason", "rules", "retry"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
      "action": {"type": ["string", "null"]}, "hold": {"type": ["string", "null"]}, "reason": {"type": ["string", "null"]},
      "rules": {"type": "array", "items": {"type": "object", "required": ["rule", "verdict", "summary"],
        "properties": {"rule": {"type": "string"}, "verdict": {"enum": ["allow", "hold", "deny"]}, "summary": {"type": "string"}}}}, "retry": {"enum": [true, false, "changed"]}}},
  "Person": {"type": "object", "required": ["id", "handle", "name", "email", "roles", "teams", "status"],
    "properties": {"id": {"type": "string"}, "handle": {"type": "string"}, "name": {"type": "string"}, "email": {"type": "string"},
      "roles": {"type": "array", "items": {"enum": ["approver", "operator", "auditor"]}}, "teams": {"type": "array", "items": {"type": "string"}},
      "status": {"enum": ["active", "disabled"]}, "labels": {"type": "object", "additionalProperties": {"type": "string"}},
      "away": {"type": ["object", "null"], "required": ["from", "until", "deputy"],
        "properties": {"from": {"type": "string", "format": "date-time"}, "until": {"type": "string", "format": "date-time"}, "deputy": {"type": ["string", "null"]}}}}},
  "Represented": {"type": "object", "required": ["handle", "name", "until"], "description": "Somebody who is away, in whose place another decides",
    "properties": {"handle": {"type": "string"}, "name": {"type": "string"}, "until": {"type": ["string", "null"], "format": "date-time"}}},
  "Step": {"type": "object", "required": ["step", "state", "begins_at", "ends_at", "within", "notify", "people", "via", "reminders", "reminded"],
    "properties": {"step": {"type": "integer"}, "state": {"enum": ["over", "skipped", "now", "waits", "later", "never"]},
      "begins_at": {"type": "string", "format": "date-time"}, "ends_at": {"type": "string", "format": "date-time"},
      "within": {"type": ["string", "null"]}, "notify": {"type": "array", "items": {"type": "string"}},
      "people": {"type": "array", "items": {"type": "object", "required": ["handle", "name", "in_place_of"],
        "properties": {"handle": {"type": "string"}, "name": {"type": "string"}, "in_place_of": {"type": "array", "items": {"$ref": "#/components/schemas/Represented"}}}}},
      "via": {"type": "array", "items": {"type": "string"}}, "reminders": {"type": "array", "items": {"type": "string", "format": "date-time"}},
      "reminded": {"type": "integer"}}},
  "Load": {"type": "object", "required": ["person", "days", "asked", "asked_within_hour", "asks_per_hour", "passed_over", "decided", "approved", "denied", "timed", "fast", "seconds_to_decide"],
    "properties": {"person": {"$ref": "#/components/schemas/Person"}, "days": {"type": "integer"}, "asked": {"type": "integer"}, "asked_within_hour": {"type": "integer"},
      "asks_per_hour": {"type": ["integer", "null"]}, "passed_over": {"type": "integer"}, "decided": {"type": "integer"}, "approved": {"type": "integer"},
      "denied": {"type": "integer"}, "timed": {"type": "integer", "description": "Decisions of which it is known whether they were fast"}, "fast": {"type": "integer"},
      "seconds_to_decide": {"type": "object", "required": ["median", "p90"], "properties": {"median": {"type": ["number", "null"]}, "p90": {"type": ["number", "null"]}}},
      "by_day": {"type": "array", "items": {"type": "object", "required": ["day", "asked", "decided"],
        "properties": {"day": {"type": "string", "format": "date"}, "asked": {"type": "integer"}, "decided": {"type": "integer"}}}}}},
  "Agent": {"type": "object", "required": ["id", "name", "class", "owner", "status", "purpose", "scopes", "created_at", "last_seen_at"],
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "class": {"enum": ["personal", "consumer", "workforce", "digital-worker"]},
      "owner": {"type": "string"}, "status": {"enum": ["active", "suspended", "revoked"]}, "purpose": {"type": "string"},
      "scopes": {"type": "array", "items": {"type": "string"}}, "created_at": {"type": "string", "format": "date-time"},
      "last_seen_at": {"type": ["string", "null"], "format": "date-time"}}},
  "Decision": {"type": "object", "required": ["id", "decision", "by", "reason", "assurance", "at", "grant"],
    "properties": {"id": {"type": "string"}, "decision": {"enum": ["approve", "deny"]}, "by": {"oneOf": [{"$ref": "#/components/schemas/Person"}, {"type": "null"}]},
      "reason": {"type": ["string", "null"]}, "assurance": {"enum": ["click", "session", "passkey"]}, "at": {"type": "string", "format": "date-time"},
      "in_place_of": {"type": "array", "items": {"$ref": "#/components/schemas/Represented"}}, "break_glass": {"type": "boolean"},
      "grant": {"oneOf": [{"$ref": "#/components/schemas/GrantTerms"}, {"type": "null"}]},
      "fast": {"type": ["boolean", "null"], "description": "Made sooner after it was first shown than its text can be read; null: when it was shown is not known"}}},
  "GrantTerms": {"type": "object", "required": ["shape", "count", "sum", "seconds"], "additionalProperties": false,
    "properties": {
      "shape": {"type": "object", "required": ["route", "scheme", "authority", "method", "target", "task", "headers", "fields", "content_digest"], "additionalProperties": false,
        "properties": {"route": {"type": "string"}, "scheme": {"type": "string"}, "authority": {"type": "string"}, "method": {"type": "string"}, "target": {"type": "string"},
          "task": {"type": ["object", "null"], "required": ["id", "intent"], "properties": {"id": {"type": ["string", "null"]}, "intent": {"type": "string"}}},
          "headers": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
          "fields": {"type": ["array", "null"], "maxItems": 64, "items": {"type": "object", "required": ["pointer", "type"], "additionalProperties": false,
            "properties": {"pointer": {"type": "string"}, "type": {"enum": ["null", "boolean", "number", "string", "array", "object"]}, "equals": {"type": "string"},
              "at_least": {"type": "string"}, "at_most": {"type": "string"}, "any": {"const": true}}}},
          "content_digest": {"type": ["string", "null"]}}},
      "count": {"type": "integer", "minimum": 1, "maximum": 1000},
      "sum": {"type": ["object", "null"], "required": ["pointer", "at_most"], "additionalProperties": false, "properties": {"pointer": {"type": "string"}, "at_most": {"type": "string"}}},
      "seconds": {"type": "integer", "minimum": 60, "maximum": 2592000}}},
  "GrantPreview": {"type": "object", "required": ["grant", "week"],
    "properties": {"grant": {"$ref": "#/components/schemas/GrantTerms"},
      "week": {"type": "object", "required": ["since", "looked_at", "complete", "covered", "denied", "sum", "largest", "passed", "beyond"],
        "properties": {"since": {"type": "string", "format": "date-time"},
          "looked_at": {"type": "integer", "description": "Held calls of this agent and route that this person may read; calls that passed by themselves need no grant"},
          "complete": {"type": "boolean", "description": "False: there were more than were looked at"}, "covered": {"type": "integer"},
          "denied": {"type": "integer", "description": "Of those covered, how many people denied"}, "sum": {"type": ["string", "null"]}, "largest": {"type": ["string", "null"]},
          "passed": {"type": "integer", "description": "Of those covered, how many count and sum would have let pass"}, "beyond": {"type": "integer"}}}}},
  "GrantSigner": {"type": ["object", "null"], "required": ["id", "handle", "name", "status"],
    "properties": {"id": {"type": "string"}, "handle": {"type": "string"}, "name": {"type": "string"}, "status": {"enum": ["active", "disabled"]}}},
  "Grant": {"type": "object",
    "required": ["id", "hold", "summary", "agent", "by", "terms", "status", "count", "used", "sum", "sum_used", "created_at", "expires_at", "revoked_at", "revoked_by", "revoked_why", "may_revoke"],
    "properties": {"id": {"type": "string"}, "hold": {"type": "string", "description": "Whose approvals left it behind"}, "summary": {"type": ["string", "null"]},
      "agent": {"oneOf": [{"$ref": "#/components/schemas/Agent"}, {"type": "null"}]}, "by": {"type": "array", "items": {"$ref": "#/components/schemas/GrantSigner"}},
      "terms": {"$ref": "#/components/schemas/GrantTerms"}, "status": {"enum": ["active", "exhausted", "expired", "revoked"]}, "count": {"type": "integer"}, "used": {"type": "integer"},
      "sum": {"type": ["string", "null"]}, "sum_used": {"type": ["string", "null"]}, "created_at": {"type": "string", "format": "date-time"}, "expires_at": {"type": "string", "format": "date-time"},
      "revoked_at": {"type": ["string", "null"], "format": "date-time"}, "revoked_by": {"$ref": "#/components/schemas/GrantSigner"}, "revoked_why": {"type": ["string", "null"]},
      "may_revoke": {"type": "boolean"}}},
  "Workflow": {"type": "object", "required": ["name", "step", "steps", "assurance", "next_step_at", "control"],
    "properties": {"name": {"type": "string"}, "step": {"type": "integer"}, "steps": {"type": "integer"}, "assurance": {"enum": ["click", "session", "passkey"]},
      "next_step_at": {"type": ["string", "null"], "format": "date-time"}, "control": {"enum": ["confirm", "four-eyes", null]},
      "approvals": {"type": "object", "required": ["needed", "given"], "properties": {"needed": {"type": "integer"}, "given": {"type": "integer"}}},
      "places": {"type": "array", "items": {"type": "object", "required": ["of", "needed", "given"],
        "properties": {"of": {"type": "string"}, "needed": {"type": "integer"}, "given": {"type": "integer"}}}},
      "missing": {"type": "array", "items": {"type": "string"}}, "break_glass": {"type": "array", "items": {"type": "string"}},
      "passed_over": {"type": "array", "description": "Who was not told, for they were asked so often within the hour", "items": {"type": "object",
        "required": ["handle", "name", "step", "asked"], "properties": {"handle": {"type": "string"}, "name": {"type": "string"},
          "step": {"type": "integer"}, "asked": {"type": "integer"}}}},
      "ladder": {"type": "array", "description": "Of one hold, not in lists", "items": {"$ref": "#/components/schemas/Step"}}}},
  "Hold": {"type": "object",
    "required": ["hold", "action", "status", "reasons", "approvals", "created_at", "expires_at", "decided_at", "reason", "outcome", "agent", "task", "route",
      "policy", "rules", "request", "workflow", "workflows", "decisions", "may_decide", "why_not", "grant", "left_grant"],
    "properties": {"hold": {"type": "string"}, "action": {"type": "string"},
      "status": {"enum": ["held", "approved", "releasing", "released", "denied", "expired", "withdrawn", "undeliverable", "void", "unknown"]},
      "reasons": {"type": "array", "items": {"type": "object", "required": ["rule", "summary"], "properties": {"rule": {"type": "string"}, "summary": {"type": "string"}}}},
      "approvals": {"type": "object", "required": ["needed", "given"], "properties": {"needed": {"type": "integer"}, "given": {"type": "integer"}}},
      "created_at": {"type": "string", "format": "date-time"}, "expires_at": {"type": "string", "format": "date-time"},
      "decided_at": {"type": ["string", "null"], "format": "date-time"}, "reason": {"type": ["string", "null"]},
      "outcome": {"type": ["object", "null"], "required": ["status", "at"], "properties": {"status": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}},
      "agent": {"oneOf": [{"$ref": "#/components/schemas/Agent"}, {"type": "null"}]},
      "task": {"type": ["object", "null"], "required": ["id", "intent"], "properties": {"id": {"type": "string"}, "intent": {"type": ["string", "null"]}}},
      "route": {"type": "string"}, "alike": {"type": ["string", "null"], "description": "The same for holds that are alike: agent, route, method, shape of the path, rules"},
      "policy": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, "rules": {"type": "array", "items": {"$ref": "#/components/schemas/Rule"}},
      "request": {"type": "object", "required": ["method", "authority", "target", "headers", "body"],
        "properties": {"method": {"type": "string"}, "authority": {"type": "string"}, "target": {"type": "string"},
          "headers": {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string"}}},
          "body": {"oneOf": [{"$ref": "#/components/schemas/Body"}, {"type": "null"}]}}},
      "workflow": {"$ref": "#/components/schemas/Workflow"}, "workflows": {"type": "array", "items": {"$ref": "#/components/schemas/Workflow"}},
      "decisions": {"type": "array", "items": {"$ref": "#/components/schemas/Decision"}}, "may_decide": {"type": "boolean"}, "why_not": {"type": ["string", "null"]},
      "in_place_of": {"type": "array", "items": {"$ref": "#/components/schemas/Represented"}}, "may_break_glass": {"type": "boolean"},
      "body_fields": {"type": "array", "items": {"type": "string"}}, "detail": {"type": ["string", "null"]},
      "grant": {"type": ["string", "null"], "description": "The grant that approved it, in place of decisions"},
      "left_grant": {"type": ["string", "null"], "description": "The grant that its approvals left behind"}}},
  "Rule": {"type": "object", "required": ["rule", "team", "verdict", "summary", "matched"],
    "properties": {"rule": {"type": "string"}, "team": {"type": ["string", "null"]}, "verdict": {"enum": ["allow", "hold", "deny"]},
      "summary": {"type": "string"}, "matched": {"type": "boolean"}, "error": {"type": ["string", "null"]}}},
  "Body": {"type": "object", "required": ["length", "content_digest", "media_type", "text", "base64"],
    "properties": {"length": {"type": "integer"}, "content_digest": {"type": "string"}, "media_type": {"type": ["string", "null"]},
      "text": {"type": ["string", "null"]}, "base64": {"type": ["string", "null"]}}},
  "AuditEntry": {"type": "object", "required": ["index", "at", "kind", "action", "hold", "agent", "person", "data"],
    "properties": {"index": {"type": "integer"}, "at": {"type": "string", "format": "date-time"},
      "kind": {"enum": ["verdict", "hold", "decision", "release", "outcome", "admin"]}, "action": {"type": ["string", "null"]},
      "hold": {"type": ["string", "null"]}, "agent": {"type": ["string", "null"]}, "person": {"type": ["string", "null"]}, "data": {"type": ["object", "null"]}}},
  "CreationOptions": {"type": "object", "description": "PublicKeyCredentialCreationOptionsJSON (WebAuthn Level 3, §5.1)",
    "required": ["rp", "user", "challenge", "pubKeyCredParams", "timeout", "excludeCredentials", "authenticatorSelection", "attestation"],
    "properties": {"rp": {"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "string"}, "name": {"type": "string"}}},
      "user": {"type": "object", "required": ["id", "name", "displayName"],
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "displayName": {"type": "string"}}},
      "challenge": {"type": "string"},
      "pubKeyCredParams": {"type": "array", "items": {"type": "object", "required": ["type", "alg"],
        "properties": {"type": {"const": "public-key"}, "alg": {"type": "integer"}}}},
      "timeout": {"type": "integer"}, "excludeCredentials": {"type": "array", "items": {"$ref": "#/components/schemas/CredentialDescriptor"}},
      "authenticatorSelection": {"type": "object"}, "attestation": {"type": "string"}}},
  "RequestOptions": {"type": "object", "description": "PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3, §5.5)",
    "required": ["challenge", "timeout", "rpId", "userVerification"],
    "properties": {"challenge": {"type": "string"}, "timeout": {"type": "integer"}, "rpId": {"type": "string"}, "userVerification": {"type": "string"},
      "allowCredentials": {"type": "array", "items": {"$ref": "#/components/schemas/CredentialDescriptor"}}}},
  "CredentialDescriptor": {"type": "object", "required": ["type", "id"],
    "properties": {"type": {"const": "public-key"}, "id": {"type": "string"}, "transports": {"type": "array", "items": {"type": "string"}}}},
  "Registration": {"type": "object", "description": "RegistrationResponseJSON (WebAuthn Level 3, §5.1)", "required": ["id", "rawId", "type", "response"],
    "properties": {"id": {"type": "string"}, "rawId": {"type": "string"}, "type": {"const": "public-key"},
      "response": {"type": "object", "required": ["clientDataJSON", "attestationObject"],
        "properties": {"clientDataJSON": {"type": "string"}, "attestationObject": {"type": "string"}}}}},
  "Assertion": {"type": "object", "description": "AuthenticationResponseJSON (WebAuthn Level 3, §5.1)", "required": ["id", "rawId", "type", "response"],
    "properties": {"id": {"type": "string"}, "rawId": {"type": "string"}, "type": {"const": "public-key"},
      "response": {"type": "object", "required": ["clientDataJSON", "authenticatorData", "signature"],
        "properties": {"clientDataJSON": {"type": "string"}, "authenticatorData": {"type": "string"}, "signature": {"type": "string"}, "userHandle": {"type": ["string", "null"]}}}}},
  "Channel": {"type": "object", "required": ["name", "configured", "pending", "dead", "oldest", "failing_since", "why", "last_sent_at"],
    "properties": {"name": {"type": "string"}, "configured": {"type": "boolean"}, "pending": {"type": "integer"}, "dead": {"type": "integer"},
      "oldest": {"type": ["string", "null"], "format": "date-time"}, "failing_since": {"type": ["string", "null"], "format": "date-time"},
      "why": {"type": ["string", "null"]}, "last_sent_at": {"type": ["string", "null"], "format": "date-time"}}},
  "DeadLetter": {"type": "object", "required": ["id", "channel", "tells", "hold", "person", "attempts", "why", "created_at"],
    "properties": {"id": {"type": "string"}, "channel": {"type": "string"}, "tells": {"enum": ["asked", "reminded", "ended", "glass-broken"]}, "hold": {"type": ["string", "null"]},
      "person": {"oneOf": [{"$ref": "#/components/schemas/Person"}, {"type": "null"}]}, "attempts": {"type": "integer"}, "why": {"type": "string"},
      "created_at": {"type": "string", "format": "date-time"}}},
  "Session": {"type": "object", "required": ["id", "created_at", "expires_at", "how", "user_agent", "current"],
    "properties": {"id": {"type": "string", "description": "Opens nothing"}, "created_at": {"type": "string", "format": "date-time"},
      "expires_at": {"type": "string", "format": "date-time"}, "how": {"enum": ["passkey", "oidc"]}, "user_agent": {"type": ["string", "null"]},
      "current": {"type": "boolean"}}},
  "SlackAccount": {"type": "object", "required": ["team", "user", "team_domain", "user_name"],
    "properties": {"team": {"type": "string"}, "user": {"type": "string"}, "team_domain": {"type": ["string", "null"]}, "user_name": {"type": ["string", "null"]}}},
  "Browser": {"type": "object", "required": ["id", "service", "user_agent", "created_at"],
    "properties": {"id": {"type": "string", "description": "base64url of the first 16 bytes of the endpoint's SHA-256"},
      "service": {"type": "string"}, "user_agent": {"type": ["string", "null"]}, "created_at": {"type": "string", "format": "date-time"}}},
  "SlackConnection": {"type": ["object", "null"], "required": ["team", "user", "created_at"],
    "properties": {"team": {"type": "string"}, "user": {"type": "string"}, "created_at": {"type": "string", "format": "date-time"}}},
  "Nothing": {"type": "object", "additionalProperties": false}
})json";

// What each answer holds, what each request brings (`optional`: it may bring nothing), and by which problems it can be refused
// besides those that every operation has.
constexpr std::string_view shapes = R"json({
  "POST enrolments/{code}/options": {"request": {"$ref": "#/components/schemas/Nothing"}, "optional": true,
    "answer": {"$ref": "#/components/schemas/CreationOptions"}, "problems": ["no-enrolment"]},
  "POST enrolments/{code}": {"status": "201", "request": {"$ref": "#/components/schemas/Registration"},
    "answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}, "problems": ["no-enrolment", "bad-assertion"]},
  "POST login/options": {"request": {"$ref": "#/components/schemas/Nothing"}, "optional": true, "answer": {"$ref": "#/components/schemas/RequestOptions"}},
  "GET login/methods": {"answer": {"type": "object", "required": ["passkey", "oidc"],
    "properties": {"passkey": {"type": "boolean"}, "oidc": {"type": ["object", "null"], "required": ["name"], "properties": {"name": {"type": "string"}}}}}},
  "POST login": {"request": {"$ref": "#/components/schemas/Assertion"},
    "answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}, "problems": ["bad-assertion"]},
  "POST logout": {"status": "204", "request": {"$ref": "#/components/schemas/Nothing"}, "optional": true},
  "GET me": {"answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}},
  "GET sessions": {"answer": {"type": "object", "required": ["sessions"], "properties": {"sessions": {"type": "array", "items": {"$ref": "#/components/schemas/Session"}}}}},
  "DELETE sessions/{session}": {"status": "204", "problems": ["not-found"]},
  "GET holds": {
    "query": {"status": {"type": "string", "description": "A comma list of states"}, "agent": {"type": "string"}, "route": {"type": "string"},
      "alike": {"type": "string", "description": "Those that are alike, whole: they count as shown. Without agent, route and q"},
      "q": {"type": "string", "description": "At most 200 bytes"}, "cursor": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 100}},
    "answer": {"type": "object", "required": ["holds", "next"], "properties": {"holds": {"type": "array", "items": {"$ref": "#/components/schemas/Hold"}}, "next": {"type": ["string", "null"]}}}},
  "GET holds/{id}": {"query": {"shown": {"enum": ["true", "false"], "description": "false: nobody is shown it now, so that it does not count as seen"}}, "answer": {"type": "object", "required": ["hold"], "properties": {"hold": {"$ref": "#/components/schemas/Hold"}}}, "problems": ["no-hold"]},
  "POST holds/{id}/statement": {
    "request": {"type": "object", "required": ["decision"], "additionalProperties": false, "properties": {"decision": {"enum": ["approve", "deny"]}, "reason": {"type": ["string", "null"]},
      "grant": {"oneOf": [{"$ref": "#/components/schemas/GrantTerms"}, {"type": "null"}]},
      "break_glass": {"type": "boolean", "description": "An approval alone, by those whom the workflow names for that; it needs a reason"}}},
    "answer": {"type": "object", "required": ["statement", "sha256", "webauthn"], "properties": {"statement": {"type": "string"}, "sha256": {"type": "string"}, "webauthn": {"$ref": "#/components/schemas/RequestOptions"}}},
    "problems": ["no-hold", "hold-closed", "not-eligible"]},
  "POST holds/{id}/decisions": {"status": "201",
    "request": {"type": "object", "required": ["statement"], "additionalProperties": false,
      "properties": {"statement": {"type": "string"}, "assertion": {"oneOf": [{"$ref": "#/components/schemas/Assertion"}, {"type": "null"}]}}},
    "answer": {"type": "object", "required": ["decision", "hold"], "properties": {"decision": {"$ref": "#/components/schemas/Decision"}, "hold": {"$ref": "#/components/schemas/Hold"}}},
    "problems": ["no-hold", "hold-closed", "not-eligible", "statement-stale", "assurance-too-low", "bad-assertion", "conflict"]},
  "DELETE holds/{id}/decisions/{decision}": {"answer": {"type": "object", "required": ["hold"], "properties": {"hold": {"$ref": "#/components/schemas/Hold"}}},
    "problems": ["no-hold", "not-found", "hold-closed", "not-eligible", "conflict"]},
  "GET links/{token}": {"answer": {"type": "object", "required": ["hold", "id", "name", "over"],
    "properties": {"hold": {"oneOf": [{"$ref": "#/components/schemas/Hold"}, {"type": "null"}]}, "id": {"type": "string"},
      "name": {"type": "string", "description": "Of the person whom it was sent to"}, "over": {"type": "boolean"}}},
    "problems": ["not-found", "no-hold"]},
  "POST links/{token}": {"status": "201",
    "request": {"type": "object", "required": ["decision"], "additionalProperties": false, "properties": {"decision": {"enum": ["approve", "deny"]}, "reason": {"type": ["string", "null"]}}},
    "answer": {"type": "object", "required": ["decision", "hold"], "properties": {"decision": {"$ref": "#/components/schemas/Decision"}, "hold": {"$ref": "#/components/schemas/Hold"}}},
    "problems": ["not-found", "no-hold", "hold-closed", "not-eligible", "statement-stale", "assurance-too-low", "conflict"]},
  "GET slack-links/{token}": {"answer": {"type": "object", "required": ["account", "person", "connected"],
    "properties": {"account": {"$ref": "#/components/schemas/SlackAccount"}, "person": {"$ref": "#/components/schemas/Person"},
      "connected": {"$ref": "#/components/schemas/SlackConnection"}}},
    "problems": ["not-found", "statement-stale"]},
  "POST slack-links/{token}": {"status": "201", "request": {"$ref": "#/components/schemas/Nothing"}, "optional": true,
    "answer": {"type": "object", "required": ["slack"], "properties": {"slack": {"$ref": "#/components/schemas/SlackConnection"}}},
    "problems": ["not-found", "statement-stale", "conflict"]},
  "GET me/slack": {"answer": {"type": "object", "required": ["slack"], "properties": {"slack": {"$ref": "#/components/schemas/SlackConnection"}}}},
  "DELETE me/slack": {"answer": {"type": "object", "required": ["slack"], "properties": {"slack": {"type": "null"}}}, "problems": ["not-found"]},
  "GET me/push": {"answer": {"type": "object", "required": ["key", "browsers"],
    "properties": {"key": {"type": "string", "description": "applicationServerKey: 65 bytes, base64url"},
      "browsers": {"type": "array", "items": {"$ref": "#/components/schemas/Browser"}}}}},
  "POST me/push": {"status": "201",
    "request": {"type": "object", "required": ["endpoint", "keys"], "additionalProperties": false,
      "properties": {"endpoint": {"type": "string"}, "expirationTime": {"type": ["number", "null"]},
        "keys": {"type": "object", "required": ["p256dh", "auth"], "properties": {"p256dh": {"type": "string"}, "auth": {"type": "string"}}}}},
    "answer": {"type": "object", "required": ["browser"], "properties": {"browser": {"$ref": "#/components/schemas/Browser"}}}, "problems": ["not-permitted"]},
  "DELETE me/push/{browser}": {"status": "204", "problems": ["not-found"]},
  "PUT me/absence": {
    "request": {"type": "object", "required": ["until"], "additionalProperties": false,
      "properties": {"from": {"type": ["string", "null"], "format": "date-time"}, "until": {"type": "string", "format": "date-time"},
        "deputy": {"type": ["string", "null"], "description": "The handle of an active approver"}}},
    "answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}},
    "problems": ["not-found", "conflict", "not-permitted"]},
  "DELETE me/absence": {"answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}, "problems": ["not-found"]},
  "GET agents": {"query": {"cursor": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}},
    "answer": {"type": "object", "required": ["agents", "next"], "properties": {"agents": {"type": "array", "items": {"$ref": "#/components/schemas/Agent"}}, "next": {"type": ["string", "null"]}}}},
  "GET agents/{agent}": {"answer": {"type": "object", "required": ["agent"], "properties": {"agent": {"$ref": "#/components/schemas/Agent"}}}, "problems": ["not-found"]},
  "GET people": {"query": {"cursor": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}},
    "answer": {"type": "object", "required": ["people", "next"], "properties": {"people": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}, "next": {"type": ["string", "null"]}}}},
  "GET people/{person}": {"answer": {"type": "object", "required": ["person"], "properties": {"person": {"$ref": "#/components/schemas/Person"}}}, "problems": ["not-found"]},
  "GET people/{person}/load": {"query": {"days": {"type": "integer", "minimum": 1, "maximum": 90}},
    "answer": {"type": "object", "required": ["load"], "properties": {"load": {"$ref": "#/components/schemas/Load"}}}, "problems": ["not-found", "not-permitted"]},
  "GET loads": {"query": {"days": {"type": "integer", "minimum": 1, "maximum": 90}, "cursor": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 100}},
    "answer": {"type": "object", "required": ["loads", "next"], "properties": {"loads": {"type": "array", "items": {"$ref": "#/components/schemas/Load"}}, "next": {"type": ["string", "null"]}}},
    "problems": ["not-permitted"]},
  "GET people/{person}/sessions": {"answer": {"type": "object", "required": ["sessions"],
    "properties": {"sessions": {"type": "array", "items": {"$ref": "#/components/schemas/Session"}}}}, "problems": ["not-found", "not-permitted"]},
  "DELETE people/{person}/sessions/{session}": {"status": "204", "problems": ["not-found", "not-permitted"]},
  "GET holds/{id}/grant": {"answer": {"$ref": "#/components/schemas/GrantPreview"}, "problems": ["no-hold", "hold-closed", "not-eligible"]},
  "POST holds/{id}/grant": {
    "request": {"type": "object", "required": ["grant"], "additionalProperties": false, "properties": {"grant": {"$ref": "#/components/schemas/GrantTerms"}}},
    "answer": {"$ref": "#/components/schemas/GrantPreview"}, "problems": ["no-hold", "hold-closed", "not-eligible"]},
  "GET grants": {
    "query": {"status": {"type": "string", "description": "A comma list of active, exhausted, expired, revoked"}, "agent": {"type": "string"}, "cursor": {"type": "string"},
      "limit": {"type": "integer", "minimum": 1, "maximum": 100}},
    "answer": {"type": "object", "required": ["grants", "next"], "properties": {"grants": {"type": "array", "items": {"$ref": "#/components/schemas/Grant"}}, "next": {"type": ["string", "null"]}}}},
  "GET grants/{grant}": {"answer": {"type": "object", "required": ["grant", "calls"],
    "properties": {"grant": {"$ref": "#/components/schemas/Grant"},
      "calls": {"type": "array", "items": {"type": "object", "required": ["hold", "status", "summary", "at"],
        "properties": {"hold": {"type": "string"}, "status": {"type": "string"}, "summary": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}}}}}, "problems": ["not-found"]},
  "DELETE grants/{grant}": {"answer": {"type": "object", "required": ["grant"], "properties": {"grant": {"$ref": "#/components/schemas/Grant"}}},
    "problems": ["not-found", "not-permitted", "conflict"]},
  "GET audit": {
    "query": {"kind": {"enum": ["verdict", "hold", "decision", "release", "outcome", "admin"]}, "action": {"type": "string"}, "hold": {"type": "string"},
      "agent": {"type": "string"}, "person": {"type": "string"}, "cursor": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}},
    "answer": {"type": "object", "required": ["audit", "next"], "properties": {"audit": {"type": "array", "items": {"$ref": "#/components/schemas/AuditEntry"}}, "next": {"type": ["string", "null"]}}}},
  "GET channels": {"answer": {"type": "object", "required": ["channels", "next"],
    "properties": {"channels": {"type": "array", "items": {"$ref": "#/components/schemas/Channel"}}, "next": {"type": "null"}}}},
  "GET dead-letters": {"answer": {"type": "object", "required": ["dead_letters", "next"],
    "properties": {"dead_letters": {"type": "array", "items": {"$ref": "#/components/schemas/DeadLetter"}}, "next": {"type": "null"}}}},
  "POST dead-letters/{id}/resend": {"status": "202", "request": {"$ref": "#/components/schemas/Nothing"}, "optional": true,
    "answer": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}, "problems": ["not-eligible", "not-found"]},
  "GET events": {"stream": true},
  "GET openapi.json": {"answer": {"type": "object", "required": ["openapi", "info", "servers", "paths", "components"],
    "properties": {"openapi": {"type": "string"}, "info": {"type": "object"}, "servers": {"type": "array", "items": {"type": "object"}}, "paths": {"type": "object"}, "components": {"type": "object"}}}}
})json";

constexpr std::string_view json_type = "application/json";

boost::json::object content(std::string_view media_type, boost::json::value schema)
{
    return {{media_type, {{"schema", std::move(schema)}}}};
}

boost::json::object parameter_json(std::string_view name, std::string_view in, boost::json::value schema)
{
    return {{"name", name}, {"in", in}, {"required", in == "path"}, {"schema", std::move(schema)}};
}

// What may be said instead of the answer, by status: each with the problems that it stands for.
void add_refusals(boost::json::object& responses, const resource& r, const boost::json::object& shape)
{
    std::vector<problem> all{problem::malformed_request, problem::misdirected_request, problem::overloaded, problem::storage_unavailable,
                             problem::internal_error};
    if (r.needs_session) all.push_back(problem::unauthenticated);
    if (r.method != "GET") all.push_back(problem::cross_origin);
    if (r.method == "POST" || r.method == "PUT") all.insert(all.end(), {problem::body_too_large, problem::unsupported_media_type});
    if (const auto* more = shape.if_contains("problems"))
        for (const auto& name : more->as_array()) all.push_back(problem_named(name.as_string()).value());

    struct refusal {
        std::string description;
        boost::json::array types;
    };
    std::map<int, refusal> by_status;
    for (const problem what : all) {
        const problem_facts& known = facts(what);
        refusal& one = by_status[known.status];
        if (!one.description.empty()) one.description += ' ';
        one.description += known.title;
        one.types.emplace_back("urn:sallyport:problem:" + std::string(known.name));
    }
    for (auto& [status, one] : by_status)
        responses[std::to_string(status)] = boost::json::object{
            {"description", one.description},
            {"content", content("application/problem+json",
                                {{"allOf", boost::json::array{boost::json::object{{"$ref", "#/components/schemas/Problem"}},
                                                              boost::json::object{{"properties", {{"type", {{"enum", one.types}}}}}}}}})}};
}

boost::json::object operation(const resource& r, const boost::json::object& shape)
{
    boost::json::array parameters;
    for (std::string_view left = r.path; !left.empty();) {
        const auto end = std::min(left.find('/'), left.size());
        if (left.front() == '{') parameters.push_back(parameter_json(left.substr(1, end - 2), "path", {{"type", "string"}}));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    if (const auto* query = shape.if_contains("query"))
        for (const auto& [name, schema] : query->as_object()) parameters.push_back(parameter_json(name, "query", schema));

    boost::json::object answered{{"description", r.summary}};
    if (shape.contains("stream"))
        answered["content"] = content("text/event-stream", {{"type", "string"}});
    else if (const auto* answer = shape.if_contains("answer"))
        answered["content"] = content(json_type, *answer);
    boost::json::object responses;
    const auto* status = shape.if_contains("status");
    responses[status ? std::string_view(status->as_string()) : std::string_view("200")] = std::move(answered);
    add_refusals(responses, r, shape);

    std::string id(r.method);
    for (const char c : r.path) id += (c >= 'a' && c <= 'z') ? c : '_';
    boost::json::object made{
        {"summary", r.summary},
        {"operationId", id},
        {"parameters", std::move(parameters)},
        {"security", r.needs_session ? boost::json::array{boost::json::object{{"session", boost::json::array{}}}} : boost::json::array{}},
        {"responses", std::move(responses)},
    };
    if (const auto* request = shape.if_contains("request"))
        made["requestBody"] = boost::json::object{{"required", !shape.contains("optional")}, {"content", content(json_type, *request)}};
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
        paths[path].as_object()[method] = operation(r, known.at(key).as_object());
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
