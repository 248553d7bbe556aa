// A passkey's signature over a statement, as the record keeps it, checked with nothing but the record. Pure.
#pragma once

#include "gateway/canonical/json.hpp"

#include <string>
#include <string_view>

namespace sallyport::audit {

/// What a person registered.
struct registered_passkey {
    std::string person;         // id
    std::string key;            // SubjectPublicKeyInfo
    std::string relying_party;  // its id
};

/// What is wrong with the proof in a decision's `data`; empty: nothing. The key is the registered one, whatever the entry says.
std::string wrong_proof(const json::value& data, std::string_view statement, const registered_passkey&);

}  // namespace sallyport::audit
