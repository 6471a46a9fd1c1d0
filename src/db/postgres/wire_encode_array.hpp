#pragma once

#include "db/postgres/wire_encode.hpp"
#include "scalekit/core/array_view.hpp"

#include <cstdint>
#include <string>

// form_for(), append_binary() and append_text() for arrays. Text form is what the server calls an
// array literal: {"a",NULL,"b"}. It is used where the elements have no binary form.

namespace scalekit::db::postgres {

wire_form form_for_array(const array_view& array, std::uint32_t type, parameter_place place);

void append_array_binary(std::string& to, const array_view& array, std::uint32_t type,
                         parameter_place place);
void append_array_text(std::string& to, const array_view& array, std::uint32_t type,
                       parameter_place place);

}  // namespace scalekit::db::postgres
